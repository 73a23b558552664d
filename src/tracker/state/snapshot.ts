// The whole hard state as one text, and back. Canonical: the same state always gives the same text,
// since Maps and Sets keep the order in which the log filled them. So its hash names the state.

import { createHash } from 'node:crypto'
import { Failure } from '../../common/failure.ts'
import { isRefusalCode, refuse } from '../../common/refusal.ts'
import { done } from './outcomes.ts'
import { emptyState, type Group, type Outcome, type SharedFile, type State } from './state.ts'

/** Arrays instead of objects: shorter, and no key from outside becomes a property. */
type FileFields = [name: string, fileId: string, sizeBytes: number, sharers: string[]]
type GroupFields = [name: string, members: string[], requests: string[], files: FileFields[]]
type UserFields = [name: string, salt: string, iterations: number, storedKey: string, serverKey: string]
/** 0 for "done", otherwise the refusal. */
type OutcomeFields = [key: string, outcome: 0 | [code: string, sentence: string]]

interface SnapshotFields {
  format: 1
  cluster: string
  secret: string
  trackers: string[]
  users: UserFields[]
  groups: GroupFields[]
  outcomes: OutcomeFields[]
}

export function takeSnapshot(state: State): string {
  const fields: SnapshotFields = {
    format: 1,
    cluster: state.cluster,
    secret: state.secret,
    trackers: [...state.trackers],
    users: Array.from(state.users, ([name, c]) => [name, c.salt, c.iterations, c.storedKey, c.serverKey]),
    groups: Array.from(state.groups, ([name, group]) => groupFields(name, group)),
    outcomes: Array.from(state.outcomes, ([key, outcome]) => [
      key,
      outcome.ok ? 0 : [outcome.refusal.code, outcome.refusal.sentence],
    ]),
  }
  return JSON.stringify(fields)
}

/** SHA-256 of the snapshot, hex: equal on all trackers that have applied the same log. */
export function digestOf(state: State): string {
  return createHash('sha256').update(takeSnapshot(state)).digest('hex')
}

/** Throws a `data` failure for a text that no `takeSnapshot` of this version made. */
export function restoreSnapshot(text: string): State {
  let fields: SnapshotFields
  try {
    fields = JSON.parse(text) as SnapshotFields
    if (fields.format !== 1) throw new Error(`format ${String(fields.format)}`)
    return stateOf(fields)
  } catch (error) {
    throw new Failure('data', 'the snapshot in the log cannot be read by this version', error)
  }
}

function stateOf(fields: SnapshotFields): State {
  const state = emptyState()
  state.cluster = fields.cluster
  state.secret = fields.secret
  for (const key of fields.trackers) state.trackers.add(key)
  for (const [name, salt, iterations, storedKey, serverKey] of fields.users) {
    state.users.set(name, { salt, iterations, storedKey, serverKey })
  }
  for (const [name, members, requests, files] of fields.groups) {
    state.groups.set(name, {
      members: new Set(members),
      requests: new Set(requests),
      files: new Map(files.map(fileOf)),
    })
  }
  for (const [key, outcome] of fields.outcomes) state.outcomes.add(key, outcomeOf(outcome))
  return state
}

function groupFields(name: string, group: Group): GroupFields {
  const files = Array.from(group.files, ([file, { fileId, sizeBytes, sharers }]): FileFields => {
    return [file, fileId, sizeBytes, [...sharers]]
  })
  return [name, [...group.members], [...group.requests], files]
}

function fileOf([name, fileId, sizeBytes, sharers]: FileFields): [string, SharedFile] {
  return [name, { fileId, sizeBytes, sharers: new Set(sharers) }]
}

function outcomeOf(fields: OutcomeFields[1]): Outcome {
  if (fields === 0) return done
  const [code, sentence] = fields
  if (!isRefusalCode(code)) throw new Error(`refusal code ${code}`)
  return refuse(code, sentence)
}
