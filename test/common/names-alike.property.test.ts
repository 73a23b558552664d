import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fileNameProblem } from '../../src/common/names.ts'

const points = Array.from({ length: 0x110000 }, (_, point) => point)
const ignorable = points
  .filter((point) => point < 0xd800 || point > 0xdfff)
  .map((point) => String.fromCodePoint(point))
  .filter((character) => /\p{Default_Ignorable_Code_Point}/u.test(character))

/** Letters of scripts in which no joiner shows, and marks. */
const letter = fc.constantFrom(...Array.from('abcXYZ019._- äéßñ写真ДжΩあ가\u0323'))
const name = fc.array(letter, { minLength: 1, maxLength: 12 }).map((letters) => letters.join(''))
const inserted = fc.array(fc.record({ at: fc.nat(12), character: fc.constantFrom(...ignorable) }), {
  minLength: 1,
  maxLength: 3,
})

// fast-check prints the seed of a run that fails.
test('a name that differs from another only in what is not drawn is refused, in either spelling', () => {
  expect(ignorable.length).toBeGreaterThan(4000)
  let accepted = 0
  fc.assert(
    fc.property(name, inserted, (plain, additions) => {
      const known = plain.normalize('NFC')
      if (fileNameProblem(known) !== undefined) return
      accepted++
      const letters = Array.from(known)
      for (const { at, character } of additions) letters.splice(at % (letters.length + 1), 0, character)
      expect(fileNameProblem(letters.join(''))).toBeDefined()
      expect(fileNameProblem(letters.join('').normalize('NFC'))).toBeDefined()
    }),
    { numRuns: 3000 },
  )
  expect(accepted).toBeGreaterThan(1000)
})
