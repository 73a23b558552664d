// Finds invisible characters, which make two texts look the same. Those that change how their neighbours are drawn are
// allowed where they do: joiners where RFC 5892 permits them (Persian, Hindi and other scripts), and parts of emoji.

import { isVirama, joinsNext, joinsPrevious } from './joining.ts'

// Interlinear annotations (U+FFF9 to U+FFFB) lack this property but are not drawn either.
const anyUnseen = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/u

/** Excludes tag sequences: where such a flag is not known, the plain flag is drawn. */
const emoji = String.raw`[\p{RGI_Emoji}--\p{RGI_Emoji_Tag_Sequence}]`
const marks = String.raw`[\p{Mn}\p{Me}]*`
// Matches the joiner first, then looks back from it: otherwise every mark would look back over all others.
const afterVirama = String.raw`[\u{200c}\u{200d}](?<=[${isVirama}].)`
const betweenJoined = String.raw`\u{200c}(?<=[${joinsNext}]${marks}.)(?=${marks}[${joinsPrevious}])`

/** Matches everything that may contain such a character; the group captures the invisible ones. */
function makePattern(): RegExp {
  return new RegExp(
    String.raw`${emoji}|${afterVirama}|${betweenJoined}|([\p{Default_Ignorable_Code_Point}\u{fff9}-\u{fffb}])`,
    'gv',
  )
}

/** Compiled on first use: the emoji take 15 ms, a tenth of a client's start. */
let pattern: RegExp | undefined

/** The first invisible character and its index; undefined when there is none. */
export function firstUnseen(
  text: string,
): { readonly character: string; readonly index: number } | undefined {
  if (!anyUnseen.test(text)) return undefined
  for (const { index, 1: character } of text.matchAll((pattern ??= makePattern()))) {
    if (character !== undefined) return { character, index }
  }
  return undefined
}

/** Replaces each invisible character. */
export function replaceUnseen(text: string, replacement: (character: string) => string): string {
  if (!anyUnseen.test(text)) return text
  return text.replace((pattern ??= makePattern()), (match: string, unseen: string | undefined) =>
    unseen === undefined ? match : replacement(unseen),
  )
}
