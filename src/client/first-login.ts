// Most scripts begin with a login. Its key is derived while the rest of the program is loaded and connects.

import * as v from 'valibot'
import { Failure } from '../common/failure.ts'
import { UserName } from '../common/names.ts'
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
  /** Begins with the key of a user who is not known here. Rejects with a failure; whoever logs in hears of it, too. */
  readonly beginWithSalt: (user: string, text: string) => Promise<void>
  /** Of a bug. */
  readonly onFailure: (error: unknown) => void
}

/** Of a line that is a login as it can be: nobody is told what was typed in a wrong place. */
function loginOf(
  line: string | undefined,
  password: string | undefined,
): { user: string; text: string } | undefined {
  const words = splitWords(line ?? '')
  if (!words.ok) return undefined
  const [command, user, text = password, ...more] = words.value.filter((word) => !word.startsWith('--'))
  if (command !== 'login' || text === undefined || more.length > 0 || !v.is(UserName, user)) return undefined
  return { user, text }
}

/**
 * Begins with the key of the login that this line is. What is begun in vain costs time of a thread, and one question for a
 * salt. `isLate`: the program is being loaded, and asks for the salt itself soon.
 */
export async function beginFirstLogin(
  line: string | undefined,
  { knownLogins, keys, password, beginWithSalt }: Omit<FirstLoginOptions, 'onFailure'>,
  isLate = false,
): Promise<void> {
  const login = loginOf(line, password)
  const known = login === undefined ? undefined : knownLogins.inAllCommunities(login.user)
  if (login === undefined || known === undefined) return
  const [one, ...others] = known
  if (one === undefined && !isLate) await beginWithSalt(login.user, login.text)
  // Which of several it is, the tracker says.
  if (one !== undefined && others.length === 0) keys.begin(login.text, one)
}

/**
 * Resolves when the login of the first line is begun as above, or after so long that the rest of the program is better
 * loaded meanwhile: that keeps the event loop from going on with the exchange.
 */
export async function firstLoginBegun(
  first: Promise<string | undefined>,
  options: FirstLoginOptions,
): Promise<void> {
  let [isThere, isLate] = [false, false]
  const begun = first.then(async (line) => {
    isThere = true
    try {
      await beginFirstLogin(line, options, isLate)
    } catch (error) {
      if (!(error instanceof Failure)) options.onFailure(error)
    }
  })
  await Promise.race([begun, passed(lineMs)])
  isLate = !isThere
  if (isThere) await Promise.race([begun, passed(saltMs)])
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
