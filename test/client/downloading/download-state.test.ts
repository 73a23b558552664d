import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isRunning,
  nextPhase,
  shownState,
  type DownloadPhase,
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

test('complete is reached by publishing alone, in any order of steps', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...steps), { maxLength: 60 }), (order) => {
      let phase: DownloadPhase = 'paused'
      for (const step of order) {
        const next = nextPhase(phase, step)
        if (next === 'complete') expect(step).toBe('published')
        phase = next ?? phase
      }
      expect(phases).toContain(phase)
    }),
  )
})

test('a person sees four states', () => {
  expect(new Set(phases.map(shownState))).toEqual(new Set(['running', 'complete', 'paused', 'failed']))
})

test('the table at the head of the file names every step, and every phase', () => {
  const source = readFileSync(
    new URL('../../../src/client/downloading/download-state.ts', import.meta.url),
    'utf8',
  )
  const head = source.slice(0, source.indexOf('\nimport '))
  for (const word of [...steps, ...phases]) expect(head).toMatch(new RegExp(`\\b${word}\\b`))
})
