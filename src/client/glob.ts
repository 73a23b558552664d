// Which names or paths a pattern means, as in a shell: *, ?, [abc] and {one,two}, none of which stands for a "/", and a
// name of ** for any folders. Names that begin with a dot are like others.

import picomatch from 'picomatch'
import { accept, refuse, type Answer } from '../common/refusal.ts'

const globCharactersMax = 255

/** Whether a name or path is meant; refuses what is no pattern. */
export function matcherOf(glob: string): Answer<(name: string) => boolean> {
  if (glob === '') return refuse('usage', 'the pattern is missing; * means every name')
  if (glob.length > globCharactersMax)
    return refuse('usage', `a pattern has at most ${globCharactersMax} characters`)
  try {
    return accept(picomatch(glob, { dot: true, nonegate: true, strictBrackets: true }))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return refuse('usage', `the pattern ${glob} lacks a closing bracket`)
  }
}

/** The folders before the first one that is a pattern, with "/" between them: "" for none. */
export function fixedPartOf(glob: string): string {
  const names = glob.split('/')
  const first = names.findIndex(isPattern)
  return names.slice(0, first === -1 ? -1 : first).join('/')
}

/** Whether a name or path may be a pattern: one that has such characters may be just a name, too. */
export function isPattern(path: string): boolean {
  return /[*?[\]{}()!+@]/.test(path)
}
