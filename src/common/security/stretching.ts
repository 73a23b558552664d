// Stretches a password into a key: PBKDF2 with HMAC-SHA-256 (RFC 8018), slow on purpose, on a thread. stretching.c does it
// in less than half of the time that Node takes for the same key, so that a login with many iterations does not
// hold up a script; where the build could not compile it, Node does it.

import { createHash, createHmac, pbkdf2, pbkdf2Sync } from 'node:crypto'
import { promisify } from 'node:util'
import { compiledFile, loadCompiled } from '../compiled-file.ts'

const keyBytes = 32
/** What SHA-256 takes at a time. */
const blockBytes = 64

/** The 32 bytes of the key. */
export type Stretch = (password: string, salt: Uint8Array, iterations: number) => Promise<Buffer>

/** See stretching.c. */
export type Iterate = (key: Uint8Array, first: Uint8Array, iterations: number) => Promise<Buffer>

const stretchThere = promisify(pbkdf2)

/** By Node's own function. */
export const stretchByNode: Stretch = (password, salt, iterations) =>
  stretchThere(password, salt, iterations, keyBytes, 'sha256')

let fastest: Stretch | undefined

/** Whichever is the fastest here: the key is the same. */
export const stretch: Stretch = (...given) => {
  fastest ??= loadStretch(compiledFile('stretching.node')) ?? stretchByNode
  return fastest(...given)
}

/**
 * The compiled function at `path`, behind which Node does it again where it turns out to be wrong; undefined when it is
 * missing, or this Node lacks what it needs.
 */
export function loadStretch(path: string): Stretch | undefined {
  const { stretch: iterate } = loadCompiled<{ stretch: Iterate }>(path)
  return iterate === undefined ? undefined : checkedStretch(iterate)
}

/**
 * Compares with Node before the first key is used: what a miscompiled function would register could not log in anywhere
 * else. The key is begun before that: whoever wants it may load a program next, and take no results for that long.
 */
export function checkedStretch(iterate: Iterate): Stretch {
  const byIterate: Stretch = (...given) => stretchBy(iterate, ...given)
  let check: Promise<boolean> | undefined
  return async (...given) => {
    const begun = byIterate(...given)
    check ??= isRight(byIterate)
    const [key, isChecked] = await Promise.all([begun, check])
    return isChecked ? key : stretchByNode(...given)
  }
}

function stretchBy(
  iterate: Iterate,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<Buffer> {
  const bytes = Buffer.from(password)
  // A longer key counts by its hash (RFC 2104).
  const short = bytes.length > blockBytes ? createHash('sha256').update(bytes).digest() : bytes
  const key = Buffer.concat([short], blockBytes)
  // The number of the only block.
  const one = Buffer.from([0, 0, 0, 1])
  return iterate(key, createHmac('sha256', key).update(salt).update(one).digest(), iterations)
}

async function isRight(byIterate: Stretch): Promise<boolean> {
  const salt = Buffer.from('salt of the comparison')
  const passwords = ['short', 'longer than a block '.repeat(4)]
  const checks = passwords.flatMap((password) =>
    [1, 3].map(async (iterations) =>
      (await byIterate(password, salt, iterations)).equals(
        pbkdf2Sync(password, salt, iterations, keyBytes, 'sha256'),
      ),
    ),
  )
  return (await Promise.all(checks)).every(Boolean)
}
