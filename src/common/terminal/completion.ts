// What a Tab has found to stand in a line. Pure.

/** What may stand in the place of the last word, each as it has to be typed, and what of it has been typed. */
export type Completion = [candidates: string[], typed: string]

/** What all of them begin with. */
export function commonBeginning([first = '', ...others]: readonly string[]): string {
  let length = first.length
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--
  return first.slice(0, length)
}
