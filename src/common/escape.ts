// Escapes text from others before it reaches a terminal: escape sequences, line breaks, direction overrides and
// invisible characters in a name or sentence are shown, never obeyed.

import { replaceUnseen } from './unseen.ts'

/** The text with every control, direction and invisible character written as `\u{hex}`. */
export function escapeText(text: string): string {
  return replaceUnseen(text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, shown), shown)
}

function shown(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
