// The passwords of a campaign. Their keys are derived once, to leave the processor to the trackers.

import { scramIterationsMin } from '../../../src/common/limits.ts'
import {
  credentialsOf,
  deriveKeys,
  type ClientKeys,
  type Credentials,
} from '../../../src/common/security/scram.ts'

export const passwords = ['first', 'second'] as const
export type Password = (typeof passwords)[number]

/** The same for all, since an account keeps its salt when its password changes. */
export const salt = Buffer.alloc(16, 7).toString('base64')

const keys: Readonly<Record<Password, Promise<ClientKeys>>> = {
  first: deriveKeys('campaign', salt, scramIterationsMin),
  second: deriveKeys('another', salt, scramIterationsMin),
}

export function keysOf(password: Password): Promise<ClientKeys> {
  return keys[password]
}

/** What is sent for a new password: by default for that of everybody whose password does not change. */
export async function credentialsFor(password: Password = 'first'): Promise<Credentials> {
  return credentialsOf(await keys[password])
}

/** Stands for the credentials of a password in a wish: the plain model keeps the name. */
export function placeholderOf(password: Password): Credentials {
  return { salt: '', iterations: 0, storedKey: password, serverKey: '' }
}

export function passwordNamed(name: string): Password {
  const found = passwords.find((password) => password === name)
  if (found === undefined) throw new Error(`no password has the name "${name}"`)
  return found
}
