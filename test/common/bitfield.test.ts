import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Bitfield } from '../../src/common/bitfield.ts'

test('a bitfield behaves like a set of the same numbers', () => {
  const step = fc.record({ set: fc.boolean(), index: fc.nat({ max: 40 }) })
  fc.assert(
    fc.property(fc.nat({ max: 40 }), fc.array(step, { maxLength: 60 }), (length, steps) => {
      const field = new Bitfield(length)
      const model = new Set<number>()
      for (const { set, index } of steps) {
        if (set && index >= length) expect(() => field.set(index)).toThrow(RangeError)
        else if (set) {
          field.set(index)
          model.add(index)
        } else {
          field.clear(index)
          model.delete(index)
        }
        expect(field.count).toBe(model.size)
        expect(field.isFull).toBe(model.size === length)
      }
      for (let index = 0; index < 48; index++) expect(field.has(index)).toBe(model.has(index))
      expect(Bitfield.fromBytes(field.toBytes(), length)?.toBytes()).toEqual(field.toBytes())
    }),
  )
})

test('the first piece is the highest bit of the first byte', () => {
  const field = new Bitfield(12)
  field.set(0)
  field.set(9)
  expect([...field.toBytes()]).toEqual([0x80, 0x40])
  expect(field.toBase64()).toBe('gEA=')
})

test('bytes of another length, or with a spare bit set, are no bitfield', () => {
  expect(Bitfield.fromBytes(Uint8Array.of(0xff), 9)).toBeUndefined()
  expect(Bitfield.fromBytes(Uint8Array.of(0xff, 0x80, 0), 9)).toBeUndefined()
  expect(Bitfield.fromBytes(Uint8Array.of(0xff, 0xc0), 9)).toBeUndefined()
  expect(Bitfield.fromBytes(Uint8Array.of(0xff, 0x80), 9)?.isFull).toBe(true)
  expect(Bitfield.fromBytes(Uint8Array.of(), 0)?.isFull).toBe(true)
})

test('the bytes handed out are a copy: changing them changes no bit', () => {
  const field = Bitfield.full(8)
  field.toBytes()[0] = 0
  expect(field.count).toBe(8)
  expect(field.has(0)).toBe(true)
})

test('an index outside is simply not there', () => {
  const field = Bitfield.full(5)
  for (const index of [-1, 5, 7, 8, 1000, 2 ** 32, Number.NaN]) expect(field.has(index)).toBe(false)
})
