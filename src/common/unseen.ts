// Characters that nobody sees: they make two texts look the same. The few that do show, by changing how
// their neighbours are drawn, are let through where they do: joiners where RFC 5892 allows them (Persian,
// Hindi and other scripts), and what emoji are made of.

import { isVirama, joinsNext, joinsPrevious } from './joining.ts'

// Interlinear annotations (U+FFF9 to U+FFFB) are not in this property and not drawn either.
const anyUnseen = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/u

/** No tags: where a flag made of them is not known, the plain flag is drawn. */
const emoji = String.raw`[\p{RGI_Emoji}--\p{RGI_Emoji_Tag_Sequence}]`
const marks = String.raw`[\p{Mn}\p{Me}]*`
// The joiner comes first and what is before it afterwards: else every mark would look back over all others.
const afterVirama = String.raw`[\u{200c}\u{200d}](?<=[${isVirama}].)`
const betweenJoined = String.raw`\u{200c}(?<=[${joinsNext}]${marks}.)(?=${marks}[${joinsPrevious}])`

/** Everything that may hold such a character; the group has those that are not seen. */
function makePattern(): RegExp {
  return new RegExp(
    String.raw`${emoji}|${afterVirama}|${betweenJoined}|([\p{Default_Ignorable_Code_Point}\u{fff9}-\u{fffb}])`,
    'gv',
  )
}

/** Made at its first use: all emoji take 15 ms, a tenth of a client's start. */
let pattern: RegExp | undefined

/** The first character that is not seen, and where it begins; undefined when there is none. */
export function firstUnseen(
  text: string,
): { readonly character: string; readonly index: number } | undefined {
  if (!anyUnseen.test(text)) return undefined
  for (const { index, 1: character } of text.matchAll((pattern ??= makePattern()))) {
    if (character !== undefined) return { character, index }
  }
  return undefined
}

/** The text with each character that is not seen replaced. */
export function replaceUnseen(text: string, replacement: (character: string) => string): string {
  if (!anyUnseen.test(text)) return text
  return text.replace((pattern ??= makePattern()), (match: string, unseen: string | undefined) =>
    unseen === undefined ? match : replacement(unseen),
  )
}
