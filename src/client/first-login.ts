// Most scripts begin with a login. Its key is derived while the rest of the program is loaded and connects.

import { setTimeout } from 'node:timers/promises'
import { Failure } from '../common/failure.ts'
import { splitWords } from './prompt/text/words.ts'
import type { KnownLogins } from './storage/known-logins.ts'
import type { EarlyKeys } from './tracker-link/early-keys.ts'

/** A script is there before the program that runs it, nearly always. */
const lineMs = 5
/** As long as a tracker nearby takes to answer. One far away answers while the program is loaded. */
const saltMs = 40

export interface FirstLoginOptions {
  readonly knownLogins: KnownLogins
  readonly keys: EarlyKeys
  /** For a login that does not say it. */
  readonly password: string | undefined
  /** Begins with the key of a user who is not known here. */
  readonly beginWithSalt: (user: string, text: string) => Promise<void>
}

/**
 * Begins with the key of the login that this line is. What is begun in vain costs time of a thread, and one question for a
 * salt, which says no more to the tracker than the login that comes next.
 */
export async function beginFirstLogin(
  line: string | undefined,
  { knownLogins, keys, password, beginWithSalt }: FirstLoginOptions,
): Promise<void> {
  const words = splitWords(line ?? '')
  if (!words.ok) return
  const [command, user, text = password] = words.value.filter((word) => !word.startsWith('--'))
  if (command !== 'login' || user === undefined || text === undefined) return
  const known = knownLogins.inAnyCommunity(user)
  if (known === undefined) return beginWithSalt(user, text)
  // Whoever takes them hears of a failure.
  void keys.begin(text, known)
}

/**
 * Resolves when the login of the first line is begun as above, or after so long that the rest of the program is better
 * loaded meanwhile: that keeps the event loop from going on with the exchange.
 */
export async function firstLoginBegun(
  first: Promise<string | undefined>,
  options: FirstLoginOptions,
): Promise<void> {
  let isThere = false
  const begun = first.then((line) => {
    isThere = true
    return beginFirstLogin(line, options).catch((error: unknown) => {
      // Whoever logs in hears of it.
      if (!(error instanceof Failure)) throw error
    })
  })
  await Promise.race([begun, setTimeout(lineMs)])
  if (isThere) await Promise.race([begun, setTimeout(saltMs)])
}
