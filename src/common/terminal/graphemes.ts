// What a person takes for one character: a letter with its accents, an emoji of several parts (UAX #29). Pure.

let segmenter: Intl.Segmenter | undefined

/** Whether each of its characters is one of printable ASCII, as in nearly every text. */
export function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}

/** Of a plain text its characters: to load the rules for others takes 14 ms, which no start should have to wait for. */
export function graphemesOf(text: string): Iterable<string> {
  return isPlain(text) ? text : segmentsOf(text)
}

function* segmentsOf(text: string): Iterable<string> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  for (const { segment } of segmenter.segment(text)) yield segment
}
