// Who waits for a tracker is told so.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { sayingWhenSlow } from '../../../src/client/prompt/slow-answers.ts'
import { accept } from '../../../src/common/refusal.ts'
import { fakeClient } from './fake-operations.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('an answer that takes two seconds is waited for aloud, once; one that comes is not', async () => {
  const { operations, answers } = fakeClient()
  let answer = (): void => {}
  answers.joinGroup = () => new Promise((resolve) => (answer = () => resolve(accept(undefined))))
  const said: string[] = []
  const slow = sayingWhenSlow(operations, (sentence) => said.push(sentence))
  await slow.createGroup('g')
  const joined = slow.joinGroup('g')
  vi.advanceTimersByTime(1999)
  expect(said).toEqual([])
  vi.advanceTimersByTime(60_000)
  expect(said).toEqual(['no answer from a tracker yet; waiting for it'])
  answer()
  expect(await joined).toEqual(accept(undefined))
})

test('a wait for downloads is not one for a tracker', () => {
  const { operations, answers } = fakeClient()
  answers.downloadsSettled = () => new Promise(() => {})
  const said: string[] = []
  void sayingWhenSlow(operations, (sentence) => said.push(sentence)).downloadsSettled()
  vi.advanceTimersByTime(60_000)
  expect(said).toEqual([])
})
