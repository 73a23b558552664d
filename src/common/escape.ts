// Text from others goes to a terminal only through here: escape sequences, line breaks and
// direction overrides in a name or sentence are shown, never obeyed.

// eslint-disable-next-line no-control-regex
const dangerous = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu

/** The text with every control and direction character written as `\u{hex}`. */
export function escapeText(text: string): string {
  return text.replace(dangerous, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}
