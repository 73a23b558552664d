// Remembers the outcomes of an account's last commands, so that a repeated request takes effect once, and a refused
// one never does: a copy of it may still be on its way to the log after the refusal was sent. Kept for each account,
// so others never push it out.

import { done, no, reasons, type Outcome } from './outcomes.ts'

/** An account, or what else stands for it. Outcomes, and between them negative marks: see `positionEvery`. */
interface Rememberer {
  remembered: readonly number[]
}

/** More than a client has in flight when it loses its connections. */
export const rememberedMax = 128

/**
 * Before every so many outcomes stands the position of the next one, negative. It tells how far back the memory goes.
 */
const positionEvery = 16
const numbersMax = rememberedMax + rememberedMax / positionEvery

/** A remembered command is one number: 46 bits of its id, and the place of its outcome, of at most this many. */
const outcomesMax = 64

/**
 * 46 bits of a command id (FNV-1a twice, with different beginnings). Ids are random, and a collision would affect
 * only the account that chose them.
 */
function hashOfId(id: string): number {
  let one = 0x811c9dc5
  let other = 0x050c5d1f
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at)
    one = Math.imul(one ^ unit, 0x01000193)
    other = Math.imul(other ^ unit, 0x01000193) ^ (other >>> 15)
  }
  return (one >>> 0) * 0x4000 + (other >>> 18)
}

/** What this command of the account came to before; undefined when it is not known. */
export function remembered(account: Rememberer, id: string): Outcome | undefined {
  const hash = hashOfId(id)
  for (const each of account.remembered) {
    if (Math.floor(each / outcomesMax) !== hash) continue
    const place = each % outcomesMax
    return place === 0 ? done : no('was-refused', reasons[place - 1] ?? '')
  }
  return undefined
}

/** `position`: of the command in the log; 0 outside of it. */
export function remember(account: Rememberer, id: string, outcome: Outcome, position: number): void {
  const place = outcome.ok ? 0 : 1 + reasons.indexOf(outcome.reason)
  const { remembered: all } = account
  const added = [hashOfId(id) * outcomesMax + place]
  if (position > 0 && all.slice(-positionEvery).every((each) => each >= 0)) added.unshift(-position)
  const surplus = Math.max(0, all.length + added.length - numbersMax)
  // Not pushed: a growing array takes room for twice as many as most accounts ever need.
  account.remembered = all.slice(surplus).concat(added)
}

/**
 * Whether a command may have been done and forgotten, of which a copy set out when the state was at position `after`:
 * then it must not be done now. Every repetition of it came later than that.
 */
export function mayBeForgotten({ remembered: all }: Rememberer, after: number): boolean {
  if (all.length < numbersMax - 1) return false
  const mark = all.find((each) => each < 0)
  return mark !== undefined && after < -mark
}
