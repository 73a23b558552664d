// Parses a file with the tracker's login at NATS; on a command line, everybody on the machine could read it. Pure.
// Never puts a secret into a sentence.

import { Failure } from '../../../common/failure.ts'
import type { NatsAddress } from './nats-address.ts'

export type NatsCredentials = Pick<NatsAddress, 'user' | 'password' | 'token'>

/**
 * Reads lines like `user: tracker` and `password: "secret"`, or `token: …` alone; empty lines and those that begin
 * with `#` are skipped. A server's configuration can include the same file. Throws a `usage` failure that names
 * the line.
 */
export function parseNatsCredentials(text: string, file: string): NatsCredentials {
  const values = new Map<string, string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.trim().startsWith('#')) continue
    const [key, value] = settingOf(line) ?? []
    if (key === undefined || value === undefined || values.has(key))
      throw new Failure(
        'usage',
        `${file}, line ${index + 1}: write user: "…", password: "…" or token: "…", each once, without quotes and \\ in it`,
      )
    values.set(key, value)
  }
  const [user, password, token] = [values.get('user'), values.get('password'), values.get('token')]
  const isLogin = user !== undefined && password !== undefined
  if (isLogin === (token !== undefined) || (!isLogin && values.size > 1))
    throw new Failure('usage', `${file} must name a user and a password, or only a token`)
  return { user, password, token }
}

/** Undefined for a line that is not a setting. */
function settingOf(line: string): [key: string, value: string] | undefined {
  const [, key, quoted, plain] =
    /^\s*(user|password|token)\s*[:=]\s*(?:"([^"'\\]+)"|([^\s"'\\#]+))\s*$/.exec(line) ?? []
  const value = quoted ?? plain
  return key === undefined || value === undefined ? undefined : [key, value]
}
