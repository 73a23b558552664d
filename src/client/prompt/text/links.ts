// Links for guests, as people ask for them and read of them. Pure.

import { counted } from '../../../common/counted.ts'
import { accept, refuse, type Answer } from '../../../common/refusal.ts'
import { parseDuration } from './durations.ts'

/** How long and how often a link is good; undefined for what is left to the client. Refuses with what is wrong with a word. */
export function parseLinkOptions(
  duration: string | undefined,
  count: string | undefined,
): Answer<{ forMs?: number; times?: number }> {
  const forMs = duration === undefined ? undefined : parseDuration(duration)
  if (forMs?.ok === false) return forMs
  const times = count === undefined ? undefined : parseCount(count)
  if (count !== undefined && times === undefined)
    return refuse('usage', `"${count}" is not a number of times; write 1, or more`)
  return accept({
    ...(forMs === undefined ? {} : { forMs: forMs.value }),
    ...(times === undefined ? {} : { times }),
  })
}

/** A whole number from 1 on. */
export function parseCount(text: string): number | undefined {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined
}

/** `2 uses`, or `2 of 3 uses` where they are counted. */
export function usesText({ uses, times }: { readonly uses: number; readonly times?: number }): string {
  return times === undefined ? counted(uses, 'use') : `${uses} of ${counted(times, 'use')}`
}
