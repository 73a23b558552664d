// Most scripts begin with a login. Its key is derived while the rest of the program is loaded and connects.

import { splitWords } from './prompt/text/words.ts'
import type { KnownLogins } from './storage/known-logins.ts'
import type { EarlyKeys } from './tracker-link/early-keys.ts'

/**
 * Begins with the key of the login that this line is, if it is one of a user who has logged in here before. `password`: for
 * one that does not say it. What is begun in vain costs time of a thread, and says nothing to anybody.
 */
export function beginFirstLogin(
  line: string | undefined,
  {
    knownLogins,
    keys,
    password,
  }: { knownLogins: KnownLogins; keys: EarlyKeys; password: string | undefined },
): void {
  const words = splitWords(line ?? '')
  if (!words.ok) return
  const [command, user, text = password] = words.value.filter((word) => !word.startsWith('--'))
  if (command !== 'login' || user === undefined || text === undefined) return
  const known = knownLogins.inAnyCommunity(user)
  if (known !== undefined) keys.begin(text, known)
}
