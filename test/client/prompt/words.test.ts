import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quoteWord, splitWords } from '../../../src/client/prompt/text/words.ts'

const wordsOf = (line: string): unknown => {
  const answer = splitWords(line)
  return answer.ok ? answer.value : answer.refusal.sentence
}

describe('splitting a line into words', () => {
  test.each([
    ['', []],
    ['  \t ', []],
    ['a b', ['a', 'b']],
    ['  a \t b  ', ['a', 'b']],
    [`'a b' c`, ['a b', 'c']],
    [`"a b" c`, ['a b', 'c']],
    [`a"b c"d'e f'g`, ['ab cde fg']],
    [`'' ""`, ['', '']],
    ['a\\ b', ['a b']],
    ['\\"a\\\'', ['"a\'']],
    [`'a\\b'`, ['a\\b']],
    [`"a\\"b\\\\c\\d"`, ['a"b\\c\\d']],
    [`"it's" 'say "hi"'`, ["it's", 'say "hi"']],
    ['$HOME *.png ~ `x` a;b|c&d', ['$HOME', '*.png', '~', '`x`', 'a;b|c&d']],
    ['a\u00a0b \u3000', ['a\u00a0b', '\u3000']],
    ['Übung 日本語 😀', ['Übung', '日本語', '😀']],
  ])('%j gives %j', (line, words) => expect(wordsOf(line)).toEqual(words))

  test.each([
    [`a 'b`, "the quote ' is not closed"],
    [`a "b`, 'the quote " is not closed'],
    [`"a\\"`, 'the quote " is not closed'],
    ['a\\', 'nothing follows the backslash at the end; for a backslash itself, write two'],
    ['a\0b', 'a line cannot contain the character NUL'],
  ])('%j is refused', (line, sentence) => expect(wordsOf(line)).toBe(sentence))

  const word = fc.string({ unit: 'binary' }).filter((text) => !/[\0\n]/.test(text))
  const tricky = fc.string({ unit: fc.constantFrom(' ', '\t', "'", '"', '\\', '#', 'a', '-') })

  test('quoted words come back as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(word, tricky)), (words) => {
        expect(wordsOf(words.map(quoteWord).join(' '))).toEqual(words)
      }),
    )
  })

  test('no line makes it throw', () => {
    fc.assert(fc.property(fc.oneof(word, tricky), (line) => void splitWords(line)))
  })

  test('ordinary words are left unquoted', () => {
    expect(['g1', '1.png', '-x', 'Übung.txt'].map(quoteWord)).toEqual(['g1', '1.png', '-x', 'Übung.txt'])
  })
})
