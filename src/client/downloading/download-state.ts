// Defines the life of a download as a pure state machine: states, events and the transition function.
// Download dispatches events and acts on each new state; nothing else changes the state.
//
//   from                    event        to           when
//   waiting                 manifest     verifying    the manifest was loaded or fetched
//   verifying               opened       fetching     the part file is open and pieces are missing
//   verifying, fetching     whole        publishing   every piece is verified and written
//   publishing              incomplete   verifying    the part file was tampered with; it is hashed again
//   verifying, publishing   published    complete     the file has its final name
//   (running)               trouble      stalled      the disk failed; checked until it accepts the file
//   (running)               blocked      blocked      only a person can fix the cause
//   (running), stalled      stop         paused       by a person, or because the user logs out
//   (running), stalled …    fail         failed       no seeder, not a member, replaced by a new version
//   stalled, blocked,       start        waiting      by a person, by a login, or because the disk is back
//     paused, failed
//   all but complete        cancel       cancelled    by a person; what was fetched is removed
//
// (running) is waiting, verifying, fetching, publishing. While publishing, `stop`, `fail` and `cancel` are
// refused, because the file is just getting its name. complete and cancelled are final.

import type { DownloadPhase } from '../diagnosis/evidence.ts'
import type { DownloadState } from '../operations.ts'

export type DownloadStep =
  | 'manifest'
  | 'opened'
  | 'whole'
  | 'incomplete'
  | 'published'
  | 'trouble'
  | 'blocked'
  | 'stop'
  | 'fail'
  | 'start'
  | 'cancel'

const interruptible = {
  trouble: 'stalled',
  blocked: 'blocked',
  stop: 'paused',
  fail: 'failed',
  cancel: 'cancelled',
} as const

const table: Readonly<Record<DownloadPhase, Readonly<Partial<Record<DownloadStep, DownloadPhase>>>>> = {
  waiting: { ...interruptible, manifest: 'verifying' },
  verifying: { ...interruptible, opened: 'fetching', whole: 'publishing', published: 'complete' },
  fetching: { ...interruptible, whole: 'publishing' },
  publishing: { trouble: 'stalled', blocked: 'blocked', incomplete: 'verifying', published: 'complete' },
  complete: {},
  stalled: { start: 'waiting', stop: 'paused', fail: 'failed', cancel: 'cancelled' },
  blocked: { start: 'waiting', stop: 'paused', fail: 'failed', cancel: 'cancelled' },
  paused: { start: 'waiting', fail: 'failed', cancel: 'cancelled' },
  failed: { start: 'waiting', cancel: 'cancelled' },
  cancelled: {},
}

/** The next phase; undefined when this phase does not allow the step, which then changes nothing. */
export function nextPhase(phase: DownloadPhase, step: DownloadStep): DownloadPhase | undefined {
  return table[phase][step]
}

/** Whether a run is in progress: these phases end by themselves or by an abort. */
export function isRunning(phase: DownloadPhase): boolean {
  return phase === 'waiting' || phase === 'verifying' || phase === 'fetching' || phase === 'publishing'
}

/** The state as shown to a person. */
export function shownState(phase: DownloadPhase): DownloadState {
  if (isRunning(phase)) return 'running'
  if (phase === 'complete' || phase === 'failed') return phase
  return phase === 'cancelled' ? 'failed' : 'paused'
}
