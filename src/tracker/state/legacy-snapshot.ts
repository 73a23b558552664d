// Level 1 only: the whole hard state as one text, as trackers of version 0.1 write and read it, and back.

import { createHash } from 'node:crypto'
import { Failure } from '../../common/failure.ts'
import { addAccount, addEntry, addGroup, addMember, addRequest, addSharer } from './changes.ts'
import { emptyState } from './empty-state.ts'
import { done, no, type No, type Outcome } from './outcomes.ts'
import { allOf } from './sharers.ts'
import type { Account, Group, State } from './state.ts'

type FileFields = [name: string, fileId: string, sizeBytes: number, sharers: string[]]
type GroupFields = [name: string, members: string[], requests: string[], files: FileFields[]]
type UserFields = [name: string, salt: string, iterations: number, storedKey: string, serverKey: string]
/** 0 for "done", otherwise the refusal. */
type OutcomeFields = [key: string, outcome: 0 | readonly [code: string, sentence: string]]

interface SnapshotFields {
  format: 1
  cluster: string
  secret: string
  trackers: string[]
  users: UserFields[]
  groups: GroupFields[]
  outcomes: OutcomeFields[]
  /** Ignored by trackers of version 0.1: the level that each tracker can follow, and its number. */
  known?: [key: string, level: number, number: number | null][]
}

/** The code and the sentence of a refusal, as in version 0.1. */
export type Wording = (no: No) => readonly [code: string, sentence: string]

export function takeLegacySnapshot(state: State, wording: Wording): string {
  return JSON.stringify({
    ...factsOf(state),
    outcomes: Array.from(state.outcomes, ([key, outcome]): OutcomeFields => {
      return [key, outcome.ok ? 0 : wording(outcome)]
    }),
    known: Array.from(state.trackers, ([key, { level, number }]) => [key, level, number ?? null]),
  })
}

/** SHA-256 of the state, hex, without the sentences of outcomes. */
export function legacyDigest(state: State): string {
  const outcomes = Array.from(state.outcomes, ([key, { ok }]) => [key, ok])
  const text = JSON.stringify({ ...factsOf(state), outcomes })
  return createHash('sha256').update(text).digest('hex')
}

function factsOf(state: State): Omit<SnapshotFields, 'outcomes'> {
  const { accounts } = state.shelves
  return {
    format: 1,
    cluster: state.community,
    secret: state.secret,
    trackers: [...state.trackers.keys()],
    users: accounts.things().map(({ name, credentials: { salt, iterations, storedKey, serverKey } }) => {
      return [name, salt, iterations, storedKey, serverKey]
    }),
    groups: state.groups.valuesArray().map(groupFields),
  }
}

/** Throws a `data` failure for a text that no program of version 0.1 wrote. */
export function restoreLegacySnapshot(text: string, position: number): State {
  try {
    const fields = JSON.parse(text) as SnapshotFields
    if (fields.format !== 1) throw new Error(`format ${String(fields.format)}`)
    return stateOf(fields, position)
  } catch (error) {
    throw new Failure('data', 'the snapshot in the log cannot be read by this version', error)
  }
}

function stateOf(fields: SnapshotFields, position: number): State {
  const state = emptyState()
  state.position = position
  state.community = fields.cluster
  state.secret = fields.secret
  for (const key of fields.trackers) state.trackers.set(key, { level: 1, number: undefined })
  for (const [key, level, number] of fields.known ?? []) {
    if (state.trackers.has(key)) state.trackers.set(key, { level, number: number ?? undefined })
  }
  for (const [name, salt, iterations, storedKey, serverKey] of fields.users) {
    addAccount(state, name, { salt, iterations, storedKey, serverKey })
  }
  for (const each of fields.groups) restoreGroup(state, each)
  for (const [key, outcome] of fields.outcomes) state.outcomes.add(key, outcomeOf(outcome))
  return state
}

function groupFields({ name, members, requests, entries }: Group): GroupFields {
  const files = entries.valuesArray().map(({ name, fileId, sizeBytes, sharers }): FileFields => {
    return [name, fileId, sizeBytes, Array.from(allOf(sharers), nameOf)]
  })
  return [name, Array.from(members, nameOf), Array.from(requests, nameOf), files]
}

function restoreGroup(state: State, [name, members, requests, files]: GroupFields): void {
  const group = addGroup(state, name)
  for (const member of members) addMember(state, group, accountOf(state, member))
  for (const asker of requests) addRequest(state, group, accountOf(state, asker))
  for (const [file, fileId, sizeBytes, sharers] of files) {
    const entry = addEntry(state, group, file, { fileId, sizeBytes, edition: undefined })
    for (const sharer of sharers) addSharer(state, entry, accountOf(state, sharer))
  }
}

function accountOf(state: State, name: string): Account {
  const account = state.accounts.get(name)
  if (account === undefined) throw new Error(`no account ${name}`)
  return account
}

function nameOf({ name }: Account): string {
  return name
}

function outcomeOf(fields: OutcomeFields[1]): Outcome {
  return fields === 0 ? done : no('as-was-said', ...fields)
}
