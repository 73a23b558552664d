// One-time codes that an operator hands to a person. Only their hash is written down, so whoever reads a log has none.

import { createHash, randomBytes } from 'node:crypto'

/** 128 bits, which nobody guesses; in hex, which has no letters to mix up. */
export function makeCode(): string {
  return randomBytes(16).toString('hex')
}

/** Plain, without a salt: a code is random. */
export function hashOfCode(code: string): string {
  return createHash('sha256').update(`coterie code ${code}`).digest('base64url')
}
