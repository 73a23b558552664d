// The names that a Tab completes: what listings and events have said, kept here, and asked for again in the background. A
// Tab never waits for it.

import type { ClientEvent, DownloadState, Operations } from '../operations.ts'

/** Soon enough for who looks again, and few questions for who keeps the key down. */
const refreshMs = 5000

interface OfGroup {
  standing: string
  files: readonly string[]
  /** Those of them that are folders, with a slash. */
  folders: readonly string[]
  members: readonly string[]
  requests: readonly string[]
}

/** Which downloads a command is for. */
const statesFor: Readonly<Record<string, readonly DownloadState[]>> = {
  pause_download: ['running'],
  resume_download: ['paused', 'failed'],
  cancel_download: ['running', 'paused', 'failed'],
  prioritize: ['running', 'paused'],
  wait: ['running'],
  limit: ['running', 'paused'],
}

/** Whether the names behind this command are those of downloads. */
export function isForDownloads(command: string): boolean {
  return Object.hasOwn(statesFor, command)
}

export class KnownNames {
  readonly #operations: Operations
  readonly #nowMs: () => number
  readonly #groups = new Map<string, OfGroup>()
  #downloads: readonly { group: string; name: string; state: DownloadState }[] = []
  /** When a listing was last asked for. */
  readonly #askedMs = new Map<string, number>()

  constructor(operations: Operations, nowMs: () => number = () => performance.now()) {
    this.#operations = operations
    this.#nowMs = nowMs
  }

  groups(standing: 'any' | 'none'): string[] {
    return [...this.#groups].flatMap(([name, group]) =>
      standing === 'any' || group.standing === 'none' ? [name] : [],
    )
  }

  files(group: string): readonly string[] {
    return this.#groups.get(group)?.files ?? []
  }

  /** With a slash. */
  folders(group: string): readonly string[] {
    return this.#groups.get(group)?.folders ?? []
  }

  members(group: string): readonly string[] {
    return this.#groups.get(group)?.members ?? []
  }

  requests(group: string): readonly string[] {
    return this.#groups.get(group)?.requests ?? []
  }

  /** Of downloads that this command is for. */
  groupsOfDownloads(command: string): string[] {
    return [...new Set(this.#downloadsFor(command).map(({ group }) => group))]
  }

  downloads(command: string, group: string): string[] {
    return this.#downloadsFor(command).flatMap((each) => (each.group === group ? [each.name] : []))
  }

  onEvent(event: ClientEvent): void {
    if (event.kind === 'user-changed') {
      this.#groups.clear()
      this.#downloads = []
      this.#askedMs.clear()
    }
    if (event.kind !== 'join-requested') return
    const group = this.#group(event.group)
    if (!group.requests.includes(event.user)) group.requests = [...group.requests, event.user]
  }

  /** Asks for what these words are about, unless that was done a moment ago. Whoever waits for it is a test. */
  async refresh(words: readonly string[]): Promise<void> {
    if (this.#operations.whoami() === undefined) return
    await Promise.all([
      this.#ask('groups', () => this.#refreshGroups()),
      this.#ask('downloads', async () => void (this.#downloads = await this.#operations.showDownloads())),
      // Whichever of the words is one.
      ...words
        .filter((word) => this.#groups.has(word))
        .map((group) => this.#ask(`group ${group}`, () => this.#refreshGroup(group))),
    ])
  }

  #downloadsFor(command: string): readonly { group: string; name: string }[] {
    const states = statesFor[command] ?? []
    return this.#downloads.filter(({ state }) => states.includes(state))
  }

  async #ask(what: string, ask: () => Promise<void>): Promise<void> {
    const nowMs = this.#nowMs()
    if (nowMs - (this.#askedMs.get(what) ?? -Infinity) < refreshMs) return
    this.#askedMs.set(what, nowMs)
    await ask()
  }

  async #refreshGroups(): Promise<void> {
    const user = this.#operations.whoami()
    const listed = await this.#operations.listGroups()
    if (!listed.ok || this.#operations.whoami() !== user) return
    const names = new Set(listed.value.map(({ group }) => group))
    for (const name of this.#groups.keys()) if (!names.has(name)) this.#groups.delete(name)
    for (const { group, standing } of listed.value) this.#group(group).standing = standing
  }

  async #refreshGroup(name: string): Promise<void> {
    const group = this.#group(name)
    if (group.standing !== 'owner' && group.standing !== 'member') return
    const [files, members] = await Promise.all([
      this.#operations.listFiles(name),
      this.#operations.listMembers(name),
    ])
    if (files.ok) {
      group.files = files.value.map((file) => file.name)
      group.folders = files.value.flatMap((file) => (file.files === undefined ? [] : [`${file.name}/`]))
    }
    if (members.ok) group.members = members.value
    if (group.standing !== 'owner') return
    const requests = await this.#operations.listRequests(name)
    if (requests.ok) group.requests = requests.value
  }

  #group(name: string): OfGroup {
    const known = this.#groups.get(name)
    if (known !== undefined) return known
    const group = { standing: 'none', files: [], folders: [], members: [], requests: [] }
    this.#groups.set(name, group)
    return group
  }
}
