// When requests of a guest are one use of a link.

import { expect, test } from 'vitest'
import { linkLimits } from '../../../src/client/guests/limits.ts'
import { Use, Uses } from '../../../src/client/guests/uses.ts'

const MiB = 1024 * 1024
const [whole, part] = [false, true]

test('a download that breaks off and is resumed is one use, and so is one that begins again', () => {
  const use = new Use(100)
  use.onSent('f', 0, 60, 0)
  expect([use.takes(part, 0), use.takes(whole, 0)]).toEqual([true, true])
  use.onSent('f', 0, 70, 0)
  expect([use.takes(part, 0), use.takes(whole, 0)]).toEqual([true, true])
})

test('parts that are fetched side by side, in any order, are one use until every byte was sent', () => {
  const use = new Use(100)
  for (const [from, to] of [
    [50, 75],
    [0, 25],
    [75, 100],
  ] as const) {
    use.onSent('f', from, to, 0)
    expect(use.takes(whole, 0)).toBe(true)
  }
  use.onSent('f', 25, 50, 0)
  expect(use.takes(whole, 0)).toBe(false)
})

test('when all was sent, parts that got lost belong to it for ten minutes, and the whole is another use', () => {
  const use = new Use(100)
  use.onSent('f', 0, 100, 5)
  expect([use.takes(part, 6), use.takes(whole, 6)]).toEqual([true, false])
  expect(use.takes(part, 5 + linkLimits.lostPartsMs - 1)).toBe(true)
  expect(use.takes(part, 5 + linkLimits.lostPartsMs)).toBe(false)
})

test('who leaves out a byte each time gets four times the size in one use, and no more', () => {
  const use = new Use(100 * MiB)
  let times = 0
  for (; use.takes(whole, 0) && times < 100; times++) use.onSent('f', 0, 100 * MiB - 1, 0)
  expect(times).toBe(5)
})

test('who takes a byte here and there has no more of memory, and what lies between counts as sent', () => {
  const use = new Use(100_000)
  for (let at = 0; at < 100_000 && use.takes(whole, 0); at += 10) use.onSent('f', at, at + 1, 0)
  expect(use.takes(whole, 0)).toBe(true)
  use.onSent('f', 99_000, 100_000, 0)
  expect(use.takes(whole, 0)).toBe(false)
})

test('the files of a folder are one use until they are as many bytes as the folder has', () => {
  const use = new Use(30)
  use.onSent('a', 0, 20, 0)
  use.onSent('a', 0, 20, 0)
  expect(use.takes(whole, 0)).toBe(true)
  use.onSent('b', 0, 10, 0)
  expect(use.takes(whole, 0)).toBe(false)
})

test('a use is of one guest, and one that was not over goes on after a restart', () => {
  const uses = new Uses(100, ['1.2.3.4'])
  expect(uses.find('1.2.3.4', whole, 0)).toBeDefined()
  expect(uses.find('1.2.3.5', whole, 0)).toBeUndefined()
  uses.begin('1.2.3.5').onSent('f', 0, 100, 0)
  expect(uses.find('1.2.3.5', whole, 0)).toBeUndefined()
  expect(uses.guests).toEqual(['1.2.3.4', '1.2.3.5'])
})

test('of more guests than are remembered, the use of the oldest is over', () => {
  const uses = new Uses(100, [])
  for (let at = 0; at <= linkLimits.guests; at++) uses.begin(`guest ${at}`)
  expect([uses.find('guest 0', whole, 0), uses.guests.length]).toEqual([undefined, linkLimits.guests])
})
