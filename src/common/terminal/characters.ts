// Steps of the cursor over what a person takes for one character. readline steps over one code point, and deletes one. Pure.

import type { Key } from 'node:readline'
import { graphemesOf } from './graphemes.ts'

/** No character that somebody types has more code units. */
const characterUnitsMax = 64

/** Of what code points, in number, the character on this side of the cursor is made: 1 for most, 0 where there is none. */
export function codePointsBeside(line: string, cursor: number, side: 'left' | 'right'): number {
  const part =
    side === 'left'
      ? line.slice(Math.max(0, cursor - characterUnitsMax), cursor)
      : line.slice(cursor, cursor + characterUnitsMax)
  const characters = [...graphemesOf(part)]
  const character = side === 'left' ? characters.at(-1) : characters[0]
  return character === undefined ? 0 : Array.from(character).length
}

/** Where the character is that this key steps over or deletes. */
export function sideOf({ name, ctrl = false, meta = false }: Key): 'left' | 'right' | undefined {
  if (meta) return undefined
  if (ctrl) return name === 'b' || name === 'h' ? 'left' : name === 'f' || name === 'd' ? 'right' : undefined
  if (name === 'left' || name === 'backspace') return 'left'
  return name === 'right' || name === 'delete' ? 'right' : undefined
}
