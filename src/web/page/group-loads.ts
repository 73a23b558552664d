// Asks for what a group has: the first entries by themselves, so that there is something to see at once, then the rest.
// Behind a tracker with thousands of entries a listing takes a while.

import type { FileEntry, GroupEntry } from '../../common/protocol/listings.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import { setGroup, type EntryKey, type Looking } from './looking.ts'

/** What a tracker says at once. */
const firstEntries = 100
const entriesAtOnce = 2500
/** A million of them, more than anybody reads. */
const partsMax = 400

/** `groups`: those that there are; the owner of one may ask who wants to join it. */
export async function loadGroup(
  looking: Looking,
  group: string,
  groups: Promise<readonly GroupEntry[]>,
): Promise<void> {
  const { ask } = looking
  await Promise.all([
    loadEntries(looking, group),
    ask('listMembers', group).then((members) => {
      if (members.ok) setGroup(looking, group, { members: members.value })
    }),
    groups.then(async (all) => {
      const isOwner = all.some((one) => one.group === group && one.standing === 'owner')
      const requests = isOwner ? await ask('listRequests', group) : undefined
      setGroup(looking, group, { requests: requests?.ok === true ? requests.value : [] })
    }),
  ])
}

async function loadEntries(looking: Looking, group: string): Promise<void> {
  const { store } = looking
  const isFirst = store.get().group?.entries === undefined
  const entries = await entriesOf(looking, group, (soFar) => {
    if (isFirst) setGroup(looking, group, { entries: soFar, isWhole: false })
    return store.get().group?.group === group || isFirst
  })
  if (entries.ok) {
    setGroup(looking, group, { entries: entries.value, isWhole: true, problem: undefined })
    return
  }
  const { code, sentence } = entries.refusal
  // What was there before is still of use where nobody answers, and no concern of who is not a member any more.
  const before = code === 'unavailable' ? store.get().group?.entries : undefined
  setGroup(looking, group, { entries: before, isWhole: true, problem: sentence })
}

/** What the group says of an entry that is not here. It is looked for in the order of the list, to where it stands. */
export async function findListed(
  looking: Looking,
  { group, name }: EntryKey,
): Promise<FileEntry | undefined> {
  let found: FileEntry | undefined
  await entriesOf(looking, group, (soFar) => {
    found = soFar.find((one) => one.name === name)
    return found === undefined
  })
  return found
}

/** All entries, each once. `goOn` is told what there is so far, and whether that is enough. */
async function entriesOf(
  { ask }: Looking,
  group: string,
  goOn: (soFar: readonly FileEntry[]) => boolean,
): Promise<Answer<readonly FileEntry[]>> {
  const all = new Map<string, FileEntry>()
  let after: string | undefined
  for (let parts = 0; parts < partsMax; parts++) {
    const atMost = parts === 0 ? firstEntries : entriesAtOnce
    const part = await ask('listFiles', group, {
      details: true,
      atMost,
      ...(after !== undefined && { after }),
    })
    if (!part.ok) return part
    const before = all.size
    for (const entry of part.value) all.set(entry.name, entry)
    after = part.value.at(-1)?.name
    const soFar = [...all.values()]
    if (!goOn(soFar) || part.value.length < atMost || all.size === before) return accept(soFar)
  }
  return accept([...all.values()])
}
