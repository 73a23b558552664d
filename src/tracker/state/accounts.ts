// Rules for trackers and users.

import { trackerKeysMax } from '../../common/limits.ts'
import { refuse } from '../../common/refusal.ts'
import type { Register, TrackerStarted } from './commands.ts'
import type { Effect } from './effects.ts'
import { done } from './outcomes.ts'
import type { Outcome, State } from './state.ts'

/** Of several trackers that start on an empty log at the same moment, the first in the log names the community. */
export function trackerStarted(state: State, command: TrackerStarted, effects: Effect[]): Outcome {
  if (state.cluster === '') {
    state.cluster = command.cluster
    state.secret = command.secret
  }
  if (!state.trackers.has(command.key)) {
    state.trackers.add(command.key)
    // A Set iterates in the order of insertion, so the first key is the oldest.
    const [oldest = ''] = state.trackers
    if (state.trackers.size > trackerKeysMax) state.trackers.delete(oldest)
    effects.push({ kind: 'trackers_changed', trackers: [...state.trackers] })
  }
  return done
}

export function register(state: State, command: Register): Outcome {
  const { user, credentials } = command
  if (state.users.has(user)) return refuse('user-taken', `there is already a user ${user}`)
  state.users.set(user, credentials)
  return done
}
