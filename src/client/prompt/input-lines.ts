// Splits standard input into lines, for scripts. Does not use readline, which keeps lines of any length in
// memory, splits at U+2028, and loses what arrives before somebody iterates it.

import type { Readable } from 'node:stream'

/** A line of 64 Ki characters holds any command; a longer one is binary junk or a mistake. */
export const lineCharactersMax = 65_536

/** Yields the lines without their terminators; undefined for a line longer than `lineCharactersMax`. */
export async function* inputLines(input: Readable): AsyncGenerator<string | undefined> {
  const decoder = new TextDecoder()
  let line = ''
  let tooLong = false
  const add = (text: string): void => {
    tooLong ||= line.length + text.length > lineCharactersMax
    line = tooLong ? '' : line + text
  }
  const take = (): string | undefined => {
    const taken = tooLong ? undefined : line.replace(/\r$/, '')
    line = ''
    tooLong = false
    return taken
  }
  for await (const chunk of input) {
    const text: string = typeof chunk === 'string' ? chunk : decoder.decode(chunk as Buffer, { stream: true })
    const [first = '', ...others] = text.split('\n')
    add(first)
    for (const other of others) {
      yield take()
      add(other)
    }
  }
  add(decoder.decode())
  if (line !== '' || tooLong) yield take()
}
