// Lines to begin with: the examples of PROTOCOL.md, which its test holds against the tables, so each method is there.

import { readFileSync } from 'node:fs'

/** One line of JSON each, without its newline. */
export function exampleLines(): string[] {
  const text = readFileSync(new URL('../../../PROTOCOL.md', import.meta.url), 'utf8')
  return [...text.matchAll(/^```json\n([^]*?)^```/gm)].flatMap((block) => (block[1] ?? '').trim().split('\n'))
}
