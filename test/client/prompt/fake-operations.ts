// A client for the prompt to call: it answers yes to everything, remembers what it was asked, and lets
// a test put another answer, a download or an event in place.

import type { MadeLink } from '../../../src/client/link-operations.ts'
import type { ClientEvent, DownloadView, EntryView, Operations } from '../../../src/client/operations.ts'
import { accept } from '../../../src/common/refusal.ts'

export interface FakeClient {
  readonly operations: Operations
  /** Every call as `name(argument, …)`, in order. */
  readonly calls: string[]
  readonly downloads: DownloadView[]
  /** Put another function in the place of an operation. */
  readonly answers: Partial<Operations>
  emit(event: ClientEvent): void
  readonly subscribe: (listener: (event: ClientEvent) => void) => void
}

/** What prompts ask by themselves. */
const silent = new Set<keyof Operations>([
  'whoami',
  'showDownloads',
  'showHashing',
  'showUploads',
  'listLimits',
  'showGuestPlace',
])

export function fakeClient(): FakeClient {
  const calls: string[] = []
  const downloads: DownloadView[] = []
  const answers: Partial<Operations> = {}
  const listeners: ((event: ClientEvent) => void)[] = []
  let user: string | undefined
  const usual: Operations = {
    createUser: async () => accept(undefined),
    login: async (name) => {
      user = name
      return accept(undefined)
    },
    logout: async () => {
      user = undefined
      return accept(undefined)
    },
    changePassword: async () => accept(undefined),
    resetPassword: async () => accept(undefined),
    deleteAccount: async () => accept(undefined),
    whoami: () => user,
    createGroup: async () => accept(undefined),
    listGroups: async () => accept([]),
    joinGroup: async () => accept(undefined),
    listRequests: async () => accept([]),
    acceptRequest: async () => accept(undefined),
    rejectRequest: async () => accept(undefined),
    leaveGroup: async () => accept(undefined),
    listMembers: async () => accept([]),
    removeMember: async () => accept(undefined),
    uploadFile: async (path, group) => accept({ name: path, group, sizeBytes: 524_289, pieceCount: 2 }),
    listFiles: async () => accept([]),
    listFolder: async () => accept([]),
    listVersions: async () => accept([]),
    subscribe: async () => accept(undefined),
    unsubscribe: async () => accept(undefined),
    listSubscriptions: async () => accept([]),
    downloadFile: async (_group, _name, destination) => accept({ destination, waiting: false }),
    showDownloads: async () => downloads,
    showHashing: async () => [],
    showUploads: async () => [],
    inspect: async (group, name) => accept(entry({ group, name })),
    pauseDownload: async () => accept(undefined),
    resumeDownload: async () => accept(undefined),
    cancelDownload: async () => accept(undefined),
    prioritize: async (_group, _name, priority = 'normal') => accept(priority),
    stopShare: async () => accept({ isTold: true }),
    setLimit: async () => accept(undefined),
    listLimits: async () => [{ direction: 'upload' }, { direction: 'download' }],
    downloadsSettled: async () => true,
    why: async () => accept([]),
    doctor: async () => [],
    showPage: async () => accept({ link: 'http://127.0.0.1:8080/open?token=t' }),
    showGuestPlace: async () => undefined,
    shareLink: async (group, name) => accept(madeLink({ group, name })),
    listLinks: async () => accept([]),
    revokeLink: async () => accept({ group: 'g1', name: 'film.mkv' }),
  }
  const operations = new Proxy(usual, {
    get(target, name: keyof Operations) {
      const operation = (answers[name] ?? target[name]) as (...given: unknown[]) => unknown
      return (...given: unknown[]) => {
        if (!silent.has(name))
          calls.push(`${name}(${given.map((value) => JSON.stringify(value)).join(', ')})`)
        return operation(...given)
      }
    },
  })
  return {
    operations,
    calls,
    downloads,
    answers,
    emit: (event) => listeners.forEach((listener) => listener(event)),
    subscribe: (listener) => listeners.push(listener),
  }
}

export function madeLink(part: Partial<MadeLink>): MadeLink {
  return {
    link: 3,
    group: 'g1',
    name: 'film.mkv',
    url: 'https://127.0.0.1:8443/secret',
    untilMs: Date.UTC(2026, 4, 12),
    ...part,
  }
}

export function download(part: Partial<DownloadView> & Pick<DownloadView, 'name' | 'state'>): DownloadView {
  return {
    group: 'g1',
    destination: `/somewhere/${part.name}`,
    sizeBytes: 1_048_576,
    pieceCount: 2,
    piecesDone: 1,
    bytesPerSecond: 3 * 1024 * 1024,
    priority: 'normal',
    peerCount: 1,
    piecesByPeer: [['abc@127.0.0.1:4444', 1, 'direct']],
    ...part,
  }
}

/** A share of 40 pieces that nobody lacks, unless the part says otherwise. */
export function entry(part: Partial<EntryView>): EntryView {
  return {
    group: 'g1',
    name: 'film.mkv',
    state: 'shared',
    sizeBytes: 20 * 1024 * 1024,
    pieceCount: 40,
    piecesDone: 40,
    bytesInPerSecond: 0,
    bytesOutPerSecond: 0,
    map: [[40, 0, 0, 0]],
    peers: [],
    audience: { whole: ['abc'], lacking: [], absent: [], absentCount: 0 },
    ...part,
  }
}
