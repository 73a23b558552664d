// What is judged from which evidence, by table.

import { expect, test } from 'vitest'
import { checksOf, type DoctorFacts } from '../../../src/client/diagnosis/checks.ts'
import { whyDownload } from '../../../src/client/diagnosis/download.ts'
import type {
  DownloadEvidence,
  LinkEvidence,
  PeerNote,
  ShareEvidence,
  TrackerEvidence,
} from '../../../src/client/diagnosis/evidence.ts'
import { whyNotHere } from '../../../src/client/diagnosis/membership.ts'
import { whyShare } from '../../../src/client/diagnosis/share.ts'
import { spanOf } from '../../../src/client/diagnosis/spans.ts'
import { whyNoTracker } from '../../../src/client/diagnosis/trackers.ts'

const nowMs = 1_000_000_000

const up: TrackerEvidence = {
  address: '10.0.0.1:9002',
  state: 'up',
  sinceMs: 0,
  program: 'coterie-tracker/1.0.0',
}
const silent: TrackerEvidence = { ...up, state: 'silent', program: undefined }

const fetching: DownloadEvidence = {
  phase: 'fetching',
  sinceMs: 0,
  pieceCount: 4,
  piecesDone: 1,
  links: [],
  peers: [],
  onlineCount: 0,
  storingForMs: 0,
}

const link: LinkEvidence = {
  user: 'ann',
  address: '10.0.0.2:4444',
  sinceMs: 0,
  owes: 2,
  silentForMs: 0,
  bytesPerSecond: 5_000_000,
  isPaused: false,
  isLimited: false,
  hasChanged: false,
  way: 'direct',
}

const peer: PeerNote = { key: 'k', user: 'ann', complete: true, tries: [], isBanned: false }
const tried = { address: '10.0.0.2:4444', atMs: nowMs }
const refusal = { code: 'not-shared', sentence: 'no', atMs: nowMs } as const

function codes(change: Partial<DownloadEvidence>, trackers: readonly TrackerEvidence[] = [up]): string[] {
  return whyDownload({ ...fetching, ...change }, trackers, nowMs).map(({ code }) => code)
}

const online = (change: Partial<PeerNote>): Partial<DownloadEvidence> => ({
  peers: [{ ...peer, ...change }],
  onlineCount: 1,
})

test.each<[string, Partial<DownloadEvidence>, string[]]>([
  ['no peers', {}, ['no-seeder']],
  ['a peer that was just named', online({}), ['connecting']],
  ['a try that has just begun', online({ tries: [tried] }), ['connecting']],
  ['a try without an answer', online({ tries: [{ ...tried, atMs: nowMs - 2000 }] }), ['unreachable']],
  ['a try that failed', online({ tries: [{ ...tried, sentence: 'no' }] }), ['unreachable']],
  ['a refusal', online({ refusal }), ['refused']],
  [
    'a refusal before it was out of reach',
    online({ refusal: { ...refusal, atMs: 0 }, tries: [{ ...tried, sentence: 'no' }] }),
    ['unreachable'],
  ],
  ['a busy peer', online({ refusal: { ...refusal, code: 'busy' } }), ['queued']],
  ['a peer that let this client in', online({ admittedAtMs: nowMs - 3000 }), ['queued']],
  ['a peer that let this client in just now', online({ admittedAtMs: nowMs }), ['connecting']],
  ['a banned peer', online({ isBanned: true }), ['bad-peer']],
  [
    'a peer that left with a changed file',
    { peers: [{ ...peer, changedAtMs: nowMs, leftAtMs: nowMs }] },
    ['file-changed', 'no-seeder'],
  ],
  ['one that did long ago', { peers: [{ ...peer, changedAtMs: 0, leftAtMs: 0 }] }, ['no-seeder']],
  ['a peer that sends', { links: [link] }, ['running']],
  ['a peer that cannot be dialled', { links: [{ ...link, way: 'called-back' }] }, ['running', 'roundabout']],
  ['a peer that was just asked', { links: [{ ...link, bytesPerSecond: 0 }] }, ['connecting']],
  ['a peer that sends slowly', { links: [{ ...link, bytesPerSecond: 9000 }] }, ['slow-peer']],
  ['a peer with a limit', { links: [{ ...link, bytesPerSecond: 9000, isLimited: true }] }, ['limited']],
  ['a silent peer', { links: [{ ...link, silentForMs: 3000 }] }, ['queued']],
  [
    'a silent peer with a limit',
    { links: [{ ...link, silentForMs: 3000, isLimited: true }] },
    ['queued', 'limited'],
  ],
  [
    'a silent peer that has changed the file',
    { links: [{ ...link, silentForMs: 3000, hasChanged: true }] },
    ['file-changed'],
  ],
  ['a peer with nothing of use', { links: [{ ...link, owes: 0 }] }, ['pieces-missing']],
  ['an own limit that is reached', { links: [{ ...link, bytesPerSecond: 90 }], limit: 100 }, ['limited']],
  ['an own limit that is not', { links: [link], limit: 50_000_000 }, ['running']],
  ['a disk behind', { links: [link], storingForMs: 2000 }, ['slow-disk']],
  [
    'another download that goes first',
    { links: [{ ...link, owes: 0 }], goesFirst: { group: 'g', name: 'urgent' } },
    ['goes-behind'],
  ],
  ['a disk quota', { phase: 'stalled', systemCode: 'EDQUOT' }, ['disk-full']],
  ['a read-only disk', { phase: 'stalled', systemCode: 'EROFS' }, ['no-permission']],
  ['a broken disk', { phase: 'stalled', systemCode: 'EIO' }, ['disk-trouble']],
  ['a part file that waits for a person', { phase: 'blocked' }, ['disk-trouble']],
  ['a pause', { phase: 'paused' }, ['paused']],
  ['the end', { phase: 'complete' }, ['complete']],
  ['a script that gave up', { phase: 'failed', end: 'no-seeder' }, ['no-seeder']],
])('a download with %s', (_what, change, expected) => {
  expect(codes(change)).toEqual(expected)
})

test('a tracker that is gone comes before what it said, and behind peers that send', () => {
  expect(codes({}, [silent])).toEqual(['tracker-gone', 'no-seeder'])
  expect(codes({ links: [link] }, [silent])).toEqual(['running', 'tracker-gone'])
  expect(codes({}, [silent, up])).toEqual(['no-seeder'])
})

test('the last seeder is the one with the whole file that left last', () => {
  const peers = [
    { ...peer, user: 'ann', leftAtMs: nowMs - 5 * 60_000 },
    { ...peer, user: 'ben', leftAtMs: nowMs - 3 * 60_000 },
    { ...peer, user: 'cem', leftAtMs: nowMs - 60_000, complete: false },
  ]
  expect(whyDownload({ ...fetching, peers }, [up], nowMs)).toMatchObject([
    { sentence: 'nobody who has the file is online; the last was ben, 3 min ago', sinceMs: nowMs - 180_000 },
  ])
})

test('trackers are named by what a person has to see to first', () => {
  const other: TrackerEvidence = { ...up, state: 'another-key', sentence: 'another', sinceMs: 7 }
  expect(whyNoTracker([silent, other]).map(({ code, sentence }) => [code, sentence])).toEqual([
    ['tracker-key', 'another'],
    ['tracker-gone', 'no answer from tracker 10.0.0.1:9002'],
  ])
})

test.each<[Partial<ShareEvidence>, string]>([
  [{}, 'sharing'],
  [{ file: 'checking' }, 'verifying'],
  [{ file: 'replaced' }, 'file-changed'],
  [{ file: 'changed', changed: ['a', 'b'], changedCount: 9 }, 'file-changed'],
  [{ isListed: false, answer: 'not now' }, 'not-listed'],
  [{ limit: 10, activeUsers: 1 }, 'limited'],
  [{ limit: 10 }, 'sharing'],
])('a share with %o', (change, code) => {
  const share = { file: 'served', path: '/f', isListed: true, activeUsers: 0 } as const
  expect(whyShare({ ...share, ...change }, [up], undefined)[0]?.code).toBe(code)
})

test('an entry that nobody has online is not only not begun', () => {
  expect(whyNotHere('f', { seeders: ['ann'] }).map(({ code }) => code)).toEqual(['not-started'])
  expect(whyNotHere('f', { seeders: [] }).map(({ code }) => code)).toEqual(['not-started', 'no-seeder'])
})

test('a span has its largest unit of which there are two', () => {
  expect([0, 1400, 119_000, 120_000, 7_200_000, 200_000_000].map(spanOf)).toEqual([
    '0 s',
    '1 s',
    '119 s',
    '2 min',
    '2 h',
    '2 days',
  ])
})

const fine: DoctorFacts = {
  version: '1.0.0',
  nodeVersion: '24.18.0',
  today: '2026-11-29',
  folders: [
    {
      path: '/data',
      use: 'data',
      freeBytes: 1e12,
      neededBytes: 0,
      isWritable: true,
      isOpenToOthers: false,
    },
  ],
  listening: '10.0.0.3:4444',
  isListeningInVain: false,
  trackers: [up],
  clocks: [{ address: up.address, aheadMs: 30 }],
  reach: { address: '10.0.0.3:4444', source: 'own', isLoopback: false },
  portMap: undefined,
  ways: [],
  isLocal: false,
}
const [folder] = fine.folders
const downloads = {
  ...folder,
  path: '/d',
  use: 'downloads',
  isOpenToOthers: true,
} as DoctorFacts['folders'][number]

test.each<[string, Partial<DoctorFacts>, string[]]>([
  ['nothing wrong', {}, []],
  ['an old Node.js', { nodeVersion: '18.1.0' }, ['problem version']],
  ['a Node.js that is a little too old', { nodeVersion: '20.19.9' }, ['problem version']],
  ['a Node.js without fixes', { nodeVersion: '20.20.0' }, ['warning version']],
  ['another version of the tracker', { version: '1.1.0' }, ['warning version']],
  ['a silent tracker', { trackers: [silent] }, ['problem trackers']],
  ['no clock', { clocks: [] }, ['warning clock']],
  ['a clock behind', { clocks: [{ address: 'a', aheadMs: -90_000 }] }, ['warning clock']],
  [
    'an address of this machine alone',
    { reach: { address: '127.0.0.1:1', source: 'own', isLoopback: true } },
    ['problem address'],
  ],
  ['an address that is gone', { isListeningInVain: true }, ['problem address']],
  [
    'the same with all trackers here',
    { isLocal: true, reach: { address: '127.0.0.1:1', source: 'own', isLoopback: true } },
    [],
  ],
  [
    'nobody at the address',
    { reach: { address: 'a', source: 'advertised', isLoopback: false, problem: 'no' } },
    ['problem reach'],
  ],
  ['no address yet', { reach: undefined }, ['warning reach']],
  [
    'an address to which a tracker came, whatever this client finds',
    {
      trackers: [{ ...up, cameHere: { address: 'a', isReached: true } }],
      reach: { address: 'a', source: 'own', isLoopback: false, problem: 'no' },
    },
    [],
  ],
  [
    'an address to which no tracker came',
    { trackers: [{ ...up, cameHere: { address: 'a', isReached: false, why: 'closed' } }] },
    ['warning reach'],
  ],
  [
    'an address that others are not told',
    { trackers: [{ ...up, cameHere: { address: 'a', isReached: true, why: 'not yours' } }] },
    ['warning reach'],
  ],
  ['a port that a router forwards', { portMap: { port: 4444 } }, []],
  ['no router that does', { portMap: { port: undefined, problem: 'none' } }, ['warning port-map']],
  [
    'a router behind another one',
    { portMap: { port: 4444, problem: 'it is behind another one' } },
    ['warning port-map'],
  ],
  ['a folder that is open to others', { folders: [{ ...downloads, use: 'data' }] }, ['warning permissions']],
  ['one for downloads that is', { folders: [downloads] }, []],
  [
    'one that cannot be written to',
    { folders: [{ ...downloads, isWritable: false }] },
    ['problem permissions'],
  ],
  ['too little room', { folders: [{ ...downloads, freeBytes: 9, neededBytes: 10 }] }, ['problem disk']],
])('the doctor looks at a client with %s', (_what, change, expected) => {
  const troubles = checksOf({ ...fine, ...change }).filter(({ state }) => state !== 'ok')
  expect(troubles.map(({ state, check }) => `${state} ${check}`)).toEqual(expected)
  expect(troubles.every(({ remedy }) => remedy !== undefined)).toBe(true)
})

test('the doctor counts the clients that are connected by each way, the best first', () => {
  const checks = checksOf({ ...fine, ways: ['relayed', 'direct', 'relayed', 'lan'] })
  expect(checks.filter(({ check }) => check === 'ways')).toEqual([
    { check: 'ways', state: 'ok', sentence: '4 clients are connected: 1 LAN, 1 direct, 2 relayed' },
  ])
  expect(checksOf(fine).some(({ check }) => check === 'ways')).toBe(false)
})
