// Which names a pattern means, as in a shell: *, ?, [abc] and {one,two}. Names that begin with a dot are like others.

import picomatch from 'picomatch'
import { accept, refuse, type Answer } from '../../common/refusal.ts'

const globCharactersMax = 255

/** Whether a name is meant; refuses what is no pattern. */
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
