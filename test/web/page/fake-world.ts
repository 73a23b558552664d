// A client for the page to show, in memory: two groups of the user and one that can be joined, ten thousand entries, five
// hundred peers, downloads in each state, and somebody who asks to join.

import type { GuestPlace, LinkView } from '../../../src/client/link-operations.ts'
import type {
  DownloadView,
  EntryView,
  ListingOptions,
  MapCell,
  PeerView,
  UploadView,
} from '../../../src/client/operations.ts'
import type { EntryVersion, FileEntry } from '../../../src/common/protocol/listings.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { version } from '../../../src/common/version.ts'
import {
  download,
  entry,
  fakeClient,
  madeLink,
  type FakeClient,
} from '../../client/prompt/fake-operations.ts'

export interface FakeWorld extends FakeClient {
  /** Who asks to join the family. */
  readonly requests: string[]
  /** Who is in the family. */
  readonly members: string[]
}

/** In 2026, so that pictures of it stay the same. */
const beganMs = Date.UTC(2026, 4, 12, 9, 30)
/** What a stranger may call a file, to be taken for something else. */
export const hostileName = '<img src=x onerror=alert(1)>‮gpj.exe'

/** `user`: who is logged in already. */
export function fakeWorld(user?: string): FakeWorld {
  const client = fakeClient()
  const requests = ['ben', 'dora']
  const members = ['ann', 'cem', ...Array.from({ length: 40 }, (_, at) => `guest${at}`)]
  let loggedIn = user
  Object.assign(client.answers, {
    whoami: () => loggedIn,
    login: async (name: string, password: string) => {
      if (password !== 'correct-horse') return refuse('login-failed', 'the name or the password is wrong')
      loggedIn = name
      client.emit({ kind: 'user-changed', user: name })
      return accept(undefined)
    },
    logout: async () => {
      loggedIn = undefined
      client.emit({ kind: 'user-changed', user: undefined })
      return accept(undefined)
    },
    listGroups: async () =>
      accept([
        { group: 'family', owner: 'ann', members: members.length, standing: 'owner' },
        { group: 'archive', owner: 'cem', members: 7, standing: 'member', hidden: true },
        { group: 'chess club', owner: 'dora', members: 12, standing: 'none' },
        { group: 'choir', owner: 'eve', members: 30, standing: 'requested' },
      ]),
    listMembers: async () => accept(members),
    listRequests: async () => accept(requests),
    acceptRequest: async (_group: string, name: string) => {
      if (!requests.includes(name)) return refuse('no-such-request', `${name} has not asked to join`)
      requests.splice(requests.indexOf(name), 1)
      members.push(name)
      return accept(undefined)
    },
    listFiles: async (group: string, { after, atMost }: ListingOptions = {}) => {
      const all = group === 'family' ? familyFiles : []
      const from = all.findIndex(({ name }) => name === after) + 1
      return accept(all.slice(from, from + (atMost ?? all.length)))
    },
    listVersions: async (_group: string, name: string) => accept(versionsOf(name)),
    listFolder: async () =>
      accept([
        { kind: 'file', path: 'day 1/boat.jpg', sizeBytes: 2_400_000, mtimeSeconds: beganMs / 1000 },
        { kind: 'file', path: 'day 2/hill.jpg', sizeBytes: 3_100_000, mtimeSeconds: beganMs / 1000 },
        { kind: 'folder', path: 'day 3' },
      ]),
    inspect: async (group: string, name: string) => {
      const view = viewsOf(group, name)
      return view === undefined ? refuse('not-shared', `${name} is not here`) : accept(view)
    },
    showHashing: async () => [
      {
        group: 'family',
        name: 'wedding.mov',
        path: '/home/ann/wedding.mov',
        sizeBytes: 8_000_000_000,
        bytesDone: 3_100_000_000,
        bytesPerSecond: 700_000_000,
      },
    ],
    showUploads: async () => [...uploads, uploadToGuest],
    listLimits: async () => [
      { direction: 'upload' },
      { direction: 'download' },
      { direction: 'upload', bytesPerSecond: 524_288, hours: { fromMinute: 480, toMinute: 1080 } },
      { direction: 'upload', bytesPerSecond: 65_536, entry: { group: 'family', name: 'film.mkv' } },
    ],
    listSubscriptions: async () =>
      accept([
        {
          group: 'family',
          glob: '*.jpg',
          folder: '/home/ann/pictures',
          fetched: 312,
          held: [{ name: 'boat.jpg', why: 'there is another file at /home/ann/pictures/boat.jpg' }],
        },
      ]),
    doctor: async () => [
      { check: 'version', state: 'ok', sentence: `this is coterie ${version}, on Node 20.20` },
      {
        check: 'disk',
        state: 'warning',
        sentence: '3.1 GiB are free in /home/ann/Downloads, and 4.0 GiB are still to come',
        remedy: 'free some space, or move the downloads',
      },
      {
        check: 'reach',
        state: 'problem',
        sentence: 'no client comes through to this one from outside',
        remedy: 'forward port 4444 at the router, or start with --map-port',
      },
      { check: 'trackers', state: 'ok', sentence: '2 of 2 trackers answer' },
    ],
    why: async () =>
      accept([
        {
          code: 'no-seeder',
          sentence: 'nobody who is online has the missing pieces',
          remedy: 'it goes on by itself when somebody who has them comes online',
        },
      ]),
  })
  Object.assign(client.answers, linksOf())
  client.downloads.push(...downloads)
  return { ...client, requests, members }
}

/** Guests are served, and there are links: one by which somebody fetches, one that was used as often as it may be. */
function linksOf(): Partial<FakeClient['answers']> {
  const place: GuestPlace = {
    origin: 'https://203.0.113.5:8443',
    fingerprint: Array.from({ length: 32 }, (_, at) => (16 + at * 7).toString(16).toUpperCase()).join(':'),
  }
  const facts = { group: 'family', name: 'notes.txt', sizeBytes: 1_200, madeAtMs: beganMs, isOpen: true }
  const untilMs = beganMs + 86_400_000
  let links: LinkView[] = [
    { ...facts, link: 1, untilMs, uses: 2, times: 3, fetching: 1, sentBytes: 1_900 },
    { ...facts, link: 2, untilMs, uses: 1, times: 1, fetching: 0, sentBytes: 1_200, ...usedUp },
  ]
  return {
    showGuestPlace: async () => place,
    listLinks: async () => accept(links),
    shareLink: async (group, name, { forMs = 86_400_000, times } = {}) => {
      const often = times === undefined ? {} : { times }
      const made = { link: links.length + 1, group, name, untilMs: beganMs + forMs, ...often }
      links = [...links, { ...facts, ...made, uses: 0, fetching: 0, sentBytes: 0 }]
      const url = `${place.origin}/qT5BhK7cW7Bz0CPhYYJG8u-ZoEFG6aG-l_GDtzGzOU4`
      return accept(madeLink({ ...made, url, fingerprint: place.fingerprint ?? '' }))
    },
    revokeLink: async (link) => {
      links = links.map((one) =>
        one.link === link ? { ...one, isOpen: false, why: 'this link was taken back', fetching: 0 } : one,
      )
      return accept({ group: 'family', name: 'notes.txt' })
    },
  }
}

const usedUp = { isOpen: false, why: 'it was used as often as it may be' }

const familyFiles: FileEntry[] = [
  file('film.mkv', 734_003_200, 3, 2),
  { ...file('holiday', 412_000_000, 1, 1), files: 3 },
  file('notes.txt', 1_200, 4, 5),
  file('report.pdf', 2_400_000, 0, 1),
  file(hostileName, 1_000, 1, 1),
  ...Array.from({ length: 9_995 }, (_, at) =>
    file(`picture-${String(at).padStart(4, '0')}.jpg`, 2_000_000 + at, at % 7, 1),
  ),
]

function file(name: string, sizeBytes: number, seeders: number, version: number): FileEntry {
  return { name, sizeBytes, seeders, details: { fileId: 'a'.repeat(64), version, atMs: beganMs, by: 'cem' } }
}

function versionsOf(name: string): EntryVersion[] {
  const latest = familyFiles.find((one) => one.name === name)
  const { version = 1 } = latest?.details ?? {}
  return Array.from({ length: version }, (_, at) => ({
    fileId: 'b'.repeat(64),
    sizeBytes: latest?.sizeBytes ?? 1,
    ...(latest?.files !== undefined && { files: latest.files }),
    version: version - at,
    atMs: beganMs - at * 86_400_000,
    by: 'cem',
  }))
}

const pieceCount = 1400
const downloads: DownloadView[] = [
  download({
    group: 'family',
    name: 'film.mkv',
    state: 'running',
    sizeBytes: 734_003_200,
    pieceCount,
    piecesDone: 868,
    bytesPerSecond: 4_800_000,
    peerCount: 500,
  }),
  download({
    group: 'family',
    name: 'report.pdf',
    state: 'running',
    why: 'no seeder is online',
    sizeBytes: 2_400_000,
    pieceCount: 5,
    piecesDone: 2,
    bytesPerSecond: 0,
    peerCount: 0,
  }),
  download({ group: 'archive', name: 'letters.zip', state: 'paused', why: 'paused by you', priority: 'low' }),
  download({
    group: 'archive',
    name: 'map.tif',
    state: 'failed',
    why: 'the disk is full: free some space and resume',
  }),
  download({
    group: 'family',
    name: 'notes.txt',
    state: 'complete',
    sizeBytes: 1_200,
    pieceCount: 1,
    piecesDone: 1,
  }),
]

const ways = ['direct', 'lan', 'mapped', 'called-back', 'punched', 'relayed'] as const
const peers: PeerView[] = Array.from({ length: 500 }, (_, at) => ({
  peer: `guest${at}@192.0.2.${at % 250}:${4000 + at}`,
  user: `guest${at}`,
  pieces: at % 11 === 0 ? undefined : pieceCount - ((at * 37) % pieceCount),
  bytesInPerSecond: at < 12 ? 900_000 / (at + 1) : 0,
  bytesOutPerSecond: at % 5 === 0 ? 40_000 : 0,
  way: ways[at % ways.length] ?? 'direct',
}))

function viewsOf(group: string, name: string): EntryView | undefined {
  const all = { group, name }
  if (name === 'film.mkv')
    return entry({
      ...all,
      state: 'running',
      priority: 'normal',
      sizeBytes: 734_003_200,
      pieceCount,
      piecesDone: 868,
      bytesInPerSecond: 4_800_000,
      bytesOutPerSecond: 1_200_000,
      map: Array.from({ length: 512 }, (_, at) => cellAt(at)),
      peers,
      audience: {
        whole: ['cem', 'eve'],
        lacking: [
          { user: 'guest3', pieces: 900, secondsLeft: 130 },
          { user: 'guest9', pieces: 120, secondsLeft: 1500 },
        ],
        absent: ['guest30', 'guest31'],
        absentCount: 14,
      },
    })
  if (name === 'notes.txt')
    return entry({
      ...all,
      state: 'complete',
      sizeBytes: 1_200,
      pieceCount: 1,
      piecesDone: 1,
      map: [[1, 0, 0, 0]],
    })
  return undefined
}

function cellAt(at: number): MapCell {
  if (at < 280) return [3, 0, 0, 0]
  if (at < 300) return [1, 1, 1, 0]
  if (at % 9 === 0) return [3, 0, 0, 0]
  if (at % 14 === 0) return [1, 0, 2, 0]
  return at > 480 ? [0, 0, 0, 2] : [0, 0, 3, 0]
}

const uploadToGuest: UploadView = {
  ...{ link: 1, group: 'family', name: 'notes.txt', user: 'guest by link 1' },
  ...{ peer: 'guest by link 1 at 198.51.100.7', bytesPerSecond: 90_000, sentBytes: 700_000 },
  ...{ way: 'direct', pieceCount: 4, pieces: 1 },
}

const uploads: UploadView[] = Array.from({ length: 6 }, (_, at) => ({
  group: 'family',
  name: 'film.mkv',
  user: `guest${at}`,
  peer: `guest${at}@192.0.2.${at}`,
  bytesPerSecond: 200_000 * (at + 1),
  sentBytes: 34_000_000 * (at + 1),
  way: ways[at] ?? 'direct',
  pieceCount,
  pieces: 300 + at * 90,
}))
