// What a person takes for one character: a letter with its accents, an emoji of several parts (UAX #29). Pure.

let segmenter: Intl.Segmenter | undefined

/** Of a plain text its characters. */
export function graphemesOf(text: string): Iterable<string> {
  // Nearly every text. To load the rules for others takes 14 ms, which no start should have to wait for.
  return /^[\x20-\x7e]*$/.test(text) ? text : segmentsOf(text)
}

function* segmentsOf(text: string): Iterable<string> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  for (const { segment } of segmenter.segment(text)) yield segment
}
