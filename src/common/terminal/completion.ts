// What a Tab has found to stand in a line. Pure.

export interface Completion {
  /** What of the word has been typed. */
  readonly typed: string
  /** What may stand in its place, each as it has to be typed: the first of them, if there are very many. */
  readonly candidates: readonly string[]
  /** What all of them begin with, also those that are left out. */
  readonly beginning: string
}

/** More would only scroll by. */
export const candidatesMax = 200

/** Of all these candidates, which are looked at only as far as needed. */
export function completionOf(typed: string, all: Iterable<string>): Completion {
  const candidates: string[] = []
  let beginning: string | undefined
  for (const candidate of all) {
    if (beginning === undefined) beginning = candidate
    else if (!candidate.startsWith(beginning)) beginning = commonBeginning(beginning, candidate)
    if (candidates.length < candidatesMax) candidates.push(candidate)
    // Whatever else there is, a Tab can put nothing in.
    else if (typed.startsWith(beginning)) break
  }
  return { typed, candidates, beginning: beginning ?? '' }
}

function commonBeginning(one: string, other: string): string {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  return one.slice(0, length)
}
