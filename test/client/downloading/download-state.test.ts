import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { DownloadPhase } from '../../../src/client/diagnosis/evidence.ts'
import {
  isRunning,
  nextPhase,
  shownState,
  type DownloadStep,
} from '../../../src/client/downloading/download-state.ts'

const phases: readonly DownloadPhase[] = [
  'waiting',
  'verifying',
  'fetching',
  'publishing',
  'complete',
  'stalled',
  'blocked',
  'paused',
  'failed',
  'cancelled',
]
const steps: readonly DownloadStep[] = [
  'manifest',
  'opened',
  'whole',
  'incomplete',
  'published',
  'trouble',
  'blocked',
  'stop',
  'fail',
  'start',
  'cancel',
]

test('the usual way leads from waiting to complete', () => {
  let phase: DownloadPhase = 'paused'
  for (const step of ['start', 'manifest', 'opened', 'whole', 'published'] as const)
    phase = nextPhase(phase, step) ?? 'failed'
  expect(phase).toBe('complete')
})

test('what is complete or cancelled stays so, whatever happens', () => {
  for (const step of steps) {
    expect(nextPhase('complete', step)).toBeUndefined()
    expect(nextPhase('cancelled', step)).toBeUndefined()
  }
})

test('a file that is getting its name can be neither stopped nor given up', () => {
  for (const step of ['stop', 'fail', 'cancel', 'start'] as const)
    expect(nextPhase('publishing', step)).toBeUndefined()
})

test('only a start leads from rest to a run, and a run is never begun twice', () => {
  for (const phase of phases) {
    for (const step of steps) {
      const next = nextPhase(phase, step)
      if (next === undefined || isRunning(phase) || !isRunning(next)) continue
      expect([step, next]).toEqual(['start', 'waiting'])
    }
    if (isRunning(phase)) expect(nextPhase(phase, 'start')).toBeUndefined()
  }
})

test('complete is reached by the final name alone, of a file that is verified or published', () => {
  const ways = phases.flatMap((phase) => steps.map((step) => [phase, step, nextPhase(phase, step)] as const))
  expect(ways.filter(([, , next]) => next === 'complete')).toEqual([
    ['verifying', 'published', 'complete'],
    ['publishing', 'published', 'complete'],
  ])
})

test('a person sees four states', () => {
  expect(Object.fromEntries(phases.map((phase) => [phase, shownState(phase)]))).toEqual({
    waiting: 'running',
    verifying: 'running',
    fetching: 'running',
    publishing: 'running',
    complete: 'complete',
    stalled: 'paused',
    blocked: 'paused',
    paused: 'paused',
    failed: 'failed',
    cancelled: 'failed',
  })
})

test('the table at the head of the file names every step, and every phase', () => {
  const source = readFileSync(
    new URL('../../../src/client/downloading/download-state.ts', import.meta.url),
    'utf8',
  )
  const head = source.slice(0, source.indexOf('\nimport '))
  for (const word of [...steps, ...phases]) expect(head).toMatch(new RegExp(`\\b${word}\\b`))
})
