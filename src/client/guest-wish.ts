// What --guests means at another terminal: the client that runs decided it when it started. Pure.

import type { Address } from '../common/addresses.ts'
import type { GuestPlace } from './link-operations.ts'

/** Why guests are not served at `wanted`, as a sentence; undefined where they are. `place`: where the client that runs serves them. */
export function guestsElsewhere(wanted: Address, place: GuestPlace | undefined): string | undefined {
  const remedy = 'end it, and start it with --guests again to change that'
  if (place === undefined) return `the client that runs here serves none; ${remedy}`
  // Behind a router the host is another one.
  const port = Number(new URL(place.origin).port || 443)
  if (wanted.port === 0 || wanted.port === port) return undefined
  return `the client that runs here serves them at ${place.origin}/; ${remedy}`
}
