// Converts the hard state to sections, each a shelf of things as a text, and back. A snapshot writes those that
// changed. Canonical: the same state always gives the same sections, so their hash identifies it. From level 2 on.

import { createHash } from 'node:crypto'
import { Failure } from '../../common/failure.ts'
import { putGroup, putMember, putRequest, putShare } from './changes.ts'
import { emptyState } from './empty-state.ts'
import { defaultQuotas, isQuotaName, quotaNames, type Quotas } from './quotas.ts'
import type { RegistrationMode } from './registration-modes.ts'
import { allOf, sharersOf } from './sharers.ts'
import type { Account, EarlierVersion, Edition, Entry, Group, State } from './state.ts'
import { legacyDigest } from './legacy-snapshot.ts'

/** A section by its key; in a snapshot of changes, undefined for one that was removed. */
export type Section = readonly [key: string, text: string]
export type ChangedSection = readonly [key: string, text: string | undefined]

/** Keys begin with a digit, so that in their order sections come after those that they refer to. */
const community = '1-community'
const registrations = '2-registrations'
const kinds = ['3-accounts', '4-groups', '5-entries'] as const

/** Arrays instead of objects: shorter, and no key from outside becomes a property. */
interface CommunityFields {
  format: 2
  level: number
  community: string
  secret: string
  trackers: [key: string, level: number, number: number | undefined][]
  quotas: number[]
  /** The next number of an account, of a group, and of an entry. */
  nextIds: [number, number, number]
  /** The rest is absent where it is as in an empty state. Deletions that are remembered: */
  departures?: [lastAt: number, remembered: string]
  registration?: [mode: RegistrationMode, invites: [codeHash: string, untilMs: number][]]
}
type AccountFields = [
  id: number,
  name: string,
  epoch: number,
  salt: string,
  iterations: number,
  storedKey: string,
  serverKey: string,
  remembered: string,
  /** Absent without a code. */
  ...reset: [] | [codeHash: string, untilMs: number],
]
type GroupFields = [
  id: number,
  name: string,
  members: number[],
  requests: number[],
  /** Absent where everybody may know of it. */
  ...hidden: [] | [true],
]
type EntryFields = [
  id: number,
  group: number,
  name: string,
  fileId: string,
  sizeBytes: number,
  sharers: number[],
  /** Absent for a content from before level 3 that replaced nothing since. */
  ...history: [] | [edition: EditionFields, earlier: EarlierFields[]],
]
/** `null` for a content from before level 3. The number of files is absent for a single file. */
type EditionFields = [number: number, atMs: number, by: string, ...files: [] | [number]] | null
type EarlierFields = [fileId: string, sizeBytes: number, edition: EditionFields]

/** Sections that changed after this position of the log; all of them for 0. */
export function* changedSections(state: State, after: number): Generator<ChangedSection> {
  yield [community, JSON.stringify(communityFields(state))]
  const { day, changedAt, byNetwork } = state.registrations
  if (after === 0 || changedAt > after) yield [registrations, JSON.stringify([day, [...byNetwork]])]
  const { accounts, groups, entries } = state.shelves
  yield* changedShelves(kinds[0], accounts, accountFields, after)
  yield* changedShelves(kinds[1], groups, groupFields, after)
  yield* changedShelves(kinds[2], entries, entryFields, after)
}

function* changedShelves<T extends { readonly id: number }>(
  kind: string,
  shelves: {
    changedAfter(position: number): number[]
    numbers(): Iterable<number>
    on(number: number): readonly T[] | undefined
  },
  fieldsOf: (thing: T) => unknown,
  after: number,
): Generator<ChangedSection> {
  for (const number of after === 0 ? shelves.numbers() : shelves.changedAfter(after)) {
    const things = shelves.on(number)
    yield [`${kind}/${number}`, things === undefined ? undefined : JSON.stringify(things.map(fieldsOf))]
  }
}

/** SHA-256 of the state, hex: equal on all trackers that have applied the same log. */
export function digestOf(state: State): string {
  if (state.level < 2) return legacyDigest(state)
  const hash = createHash('sha256')
  const sections = [...changedSections(state, 0)].sort(([one], [other]) => (one < other ? -1 : 1))
  for (const [key, text = ''] of sections) hash.update(`${key} ${text.length} ${text}\n`)
  return hash.digest('hex')
}

/** Takes sections in the order of their keys. Throws a `data` failure for what no program of this version wrote. */
export function restoreSections(sections: Iterable<Section>, position: number): State {
  const state = emptyState()
  try {
    state.position = position
    for (const [key, text] of sections) restoreSection(state, key, JSON.parse(text))
    if (state.community === '') throw new Error('the section of the community is missing')
    return state
  } catch (error) {
    throw new Failure('data', 'the snapshot in the log cannot be read by this version', error)
  }
}

function restoreSection(state: State, key: string, fields: unknown): void {
  const [kind] = key.split('/')
  if (kind === community) restoreCommunity(state, fields as CommunityFields)
  else if (kind === registrations) restoreRegistrations(state, fields as [number, [string, number][]])
  else if (kind === kinds[0]) for (const each of fields as AccountFields[]) restoreAccount(state, each)
  else if (kind === kinds[1]) for (const each of fields as GroupFields[]) restoreGroup(state, each)
  else if (kind === kinds[2]) for (const each of fields as EntryFields[]) restoreEntry(state, each)
  else throw new Error(`section ${key}`)
}

function communityFields(state: State): CommunityFields {
  const { departures } = state
  const { mode, invites } = state.registration
  const { accounts, groups, entries } = state.shelves
  return {
    format: 2,
    level: state.level,
    community: state.community,
    secret: state.secret,
    trackers: Array.from(state.trackers, ([key, { level, number }]) => [key, level, number]),
    quotas: quotaNames.map((name) => state.quotas[name]),
    nextIds: [accounts.nextId, groups.nextId, entries.nextId],
    ...((mode !== 'open' || invites.size > 0) && { registration: [mode, [...invites]] }),
    ...(departures.lastAt > 0 && { departures: [departures.lastAt, textOf(departures.remembered)] }),
  }
}

function restoreCommunity(state: State, fields: CommunityFields): void {
  if (fields.format !== 2) throw new Error(`format ${String(fields.format)}`)
  state.level = fields.level
  state.community = fields.community
  state.secret = fields.secret
  for (const [key, level, number] of fields.trackers)
    state.trackers.set(key, { level, number: number ?? undefined })
  // A snapshot of an earlier program lacks the newest quotas.
  state.quotas = Object.fromEntries(
    quotaNames.map((name, at) => [name, fields.quotas[at] ?? defaultQuotas[name]]),
  ) as Quotas
  if (!Object.keys(state.quotas).every(isQuotaName)) throw new Error('quotas')
  const [account, group, entry] = fields.nextIds
  state.shelves.accounts.nextId = account
  state.shelves.groups.nextId = group
  state.shelves.entries.nextId = entry
  const [lastAt, remembered] = fields.departures ?? [0, '']
  const [mode, invites] = fields.registration ?? ['open', []]
  state.registration.mode = mode
  for (const [codeHash, untilMs] of invites) state.registration.invites.set(codeHash, untilMs)
  Object.assign(state.departures, { lastAt, remembered: numbersOf(remembered) })
}

function restoreRegistrations(state: State, [day, byNetwork]: [number, [string, number][]]): void {
  state.registrations.day = day
  for (const [network, count] of byNetwork) state.registrations.byNetwork.set(network, count)
}

function textOf(remembered: readonly number[]): string {
  return Buffer.from(new Float64Array(remembered).buffer).toString('base64')
}

function numbersOf(text: string): number[] {
  const bytes = Buffer.from(text, 'base64')
  return Array.from({ length: bytes.length / 8 }, (_, at) => bytes.readDoubleLE(8 * at))
}

function accountFields({ id, name, epoch, credentials, remembered, reset }: Account): AccountFields {
  const { salt, iterations, storedKey, serverKey } = credentials
  const fields = [id, name, epoch, salt, iterations, storedKey, serverKey, textOf(remembered)] as const
  return reset === undefined ? [...fields] : [...fields, reset.codeHash, reset.untilMs]
}

function restoreAccount(state: State, fields: AccountFields): void {
  const [id, name, epoch, salt, iterations, storedKey, serverKey, text, codeHash, untilMs] = fields
  const credentials = { salt, iterations, storedKey, serverKey }
  const account: Account = {
    id,
    name,
    credentials,
    epoch,
    memberships: 0,
    owned: 0,
    requests: 0,
    shares: 0,
    remembered: numbersOf(text),
  }
  if (codeHash !== undefined && untilMs !== undefined) account.reset = { codeHash, untilMs }
  state.accounts.set(name, account)
  state.shelves.accounts.put(account)
}

function groupFields({ id, name, members, requests, isHidden }: Group): GroupFields {
  const fields = [id, name, Array.from(members, idOf), Array.from(requests, idOf)] as const
  return isHidden ? [...fields, true] : [...fields]
}

function restoreGroup(state: State, [id, name, members, requests, hidden]: GroupFields): void {
  const group = putGroup(state, id, name, hidden === true)
  for (const member of members) putMember(group, accountOf(state, member))
  for (const asker of requests) putRequest(group, accountOf(state, asker))
}

function entryFields(entry: Entry): EntryFields {
  const { id, group, name, fileId, sizeBytes, sharers, edition, earlier = [] } = entry
  const fields = [id, group.id, name, fileId, sizeBytes, Array.from(allOf(sharers), idOf)] as const
  if (edition === undefined) return [...fields]
  const before = earlier.map((one): EarlierFields => [one.fileId, one.sizeBytes, editionFields(one.edition)])
  return [...fields, editionFields(edition), before]
}

function editionFields(edition: Edition | undefined): EditionFields {
  if (edition === undefined) return null
  const { number, atMs, by, files } = edition
  return files === undefined ? [number, atMs, by] : [number, atMs, by, files]
}

function editionOf(fields: EditionFields | undefined): Edition | undefined {
  if (fields === undefined || fields === null) return undefined
  const [number, atMs, by, files] = fields
  return { number, atMs, by, files }
}

function restoreEntry(state: State, fields: EntryFields): void {
  const [id, groupId, name, fileId, sizeBytes, ids, edition, before = []] = fields
  const group = state.shelves.groups.find(groupId)
  if (group === undefined) throw new Error(`entry ${id} of no group`)
  const accounts = ids.map((each) => accountOf(state, each))
  const entry: Entry = {
    id,
    group,
    name,
    fileId,
    sizeBytes,
    sharers: sharersOf(accounts),
    edition: editionOf(edition),
    earlier: before.length === 0 ? undefined : before.map(earlierOf),
  }
  for (const account of accounts) putShare(entry, account)
  group.entries.set(name, entry)
  state.shelves.entries.put(entry)
}

function earlierOf([fileId, sizeBytes, edition]: EarlierFields): EarlierVersion {
  return { fileId, sizeBytes, edition: editionOf(edition) }
}

function accountOf(state: State, id: number): Account {
  const account = state.shelves.accounts.find(id)
  if (account === undefined) throw new Error(`no account ${id}`)
  return account
}

function idOf({ id }: { readonly id: number }): number {
  return id
}
