// What a client does to say why something waits: brings what is known up to date, and has it judged.

import { plainNameProblem } from '../../common/names.ts'
import type { Standing } from '../../common/protocol/listings.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import { Failure } from '../../common/failure.ts'
import { noSuchGroup } from '../answers.ts'
import { whyDownload } from '../diagnosis/download.ts'
import { whyNotHere, whyNotIn } from '../diagnosis/membership.ts'
import { finding, type Finding } from '../diagnosis/reasons.ts'
import { whyShare } from '../diagnosis/share.ts'
import { whyNoTracker } from '../diagnosis/trackers.ts'
import type { Download } from '../downloading/download.ts'
import { downloadName } from '../file-key.ts'
import type { DiagnosisOperations } from '../operations.ts'
import type { Session } from '../session.ts'
import { atMost } from '../../common/at-most.ts'
import type { Core } from './core.ts'
import { doctor } from './doctor.ts'
import { spellingOf } from './entry-path.ts'
import { findOnce } from './find-once.ts'
import { allGroups } from '../tracker-link/listing.ts'
import { ownReach } from './own-place.ts'

/** For each question to the trackers; a `why` asks two at most. */
const patienceMs = 1500
/** Shares of a group that are looked at one by one. */
const sharesMax = 200

interface Entry {
  readonly group: string
  readonly name: string
}

export function diagnosisActions(core: Core): DiagnosisOperations {
  return {
    async why(group, name) {
      const open = core.session()
      if (open === undefined) return accept([...whyNoTracker(core.link.evidence), finding('not-logged-in')])
      if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
      if (name === undefined) return accept(await whyGroup(core, open, group))
      return accept(await whyEntry(core, open, { group, name: spellingOf(name) }))
    },
    doctor: () => doctor(core),
  }
}

async function whyEntry(core: Core, open: Session, file: Entry): Promise<Finding[]> {
  const { link } = core
  const download = open.downloads.find(file)
  if (download !== undefined && download.state !== 'complete') return whyFetched(core, download)
  const parts = partsOf(open, file)
  if (parts.length > 0) return parts.flatMap((part) => whyNamed(core, part))
  const share = await open.shares.evidence(file)
  // The trackers know no parts of folders.
  const [name = ''] = file.name.split('/')
  const found = await answered(core, () => findOnce(core, open, { group: file.group, name }))
  if (share !== undefined) {
    const { limit: ofAll, activeUsers } = core.examination.uploads
    const own = open.uploadLimit(file)
    const limit = ofAll === undefined || own === undefined ? (ofAll ?? own) : Math.min(ofAll, own)
    const known = found?.ok === true ? found.value : undefined
    const reach = await ownReach(core.examination, link.evidence, known)
    return whyShare({ ...share, limit, activeUsers }, link.evidence, reach)
  }
  if (download !== undefined) return whyAsKnown(core, download)
  if (found === undefined) return noAnswer(core)
  if (found.ok) return whyNotHere(file.name, { seeders: found.value.peers.filter(isSeeder).map(userOf) })
  const { code } = found.refusal
  if (code === 'no-such-file') return whyNotHere(file.name, found.refusal)
  if (code === 'not-a-member' || code === 'no-such-group') return whyOutside(core, file.group)
  return [finding('tracker-refuses', found.refusal.sentence)]
}

async function whyFetched(core: Core, download: Download): Promise<Finding[]> {
  await atMost(download.findAgain(), patienceMs)
  const evidence = download.evidence()
  const findings = whyDownload(evidence, core.link.evidence, Date.now())
  // Whether the user has asked to join again meanwhile.
  if (evidence.phase !== 'failed' || evidence.end !== 'not-a-member') return findings
  const outside = await whyOutside(core, download.record.group)
  return outside.some(({ code }) => code === 'not-approved') ? outside : findings
}

/** The downloads of parts of a folder that is not fetched as a whole. */
function partsOf(open: Session, { group, name }: Entry): Download[] {
  return open.downloads.all.filter(
    ({ record, state }) =>
      record.group === group && record.name === name && record.within !== undefined && state !== 'complete',
  )
}

function whyAsKnown({ link }: Core, download: Download): Finding[] {
  return whyDownload(download.evidence(), link.evidence, Date.now())
}

/** The first finding, with the name of the download. */
function whyNamed(core: Core, download: Download): Finding[] {
  return firstOf(downloadName(download.record), whyAsKnown(core, download))
}

/** The first finding, with this name. */
function firstOf(name: string, [first]: readonly Finding[]): Finding[] {
  return first === undefined ? [] : [{ ...first, name }]
}

async function whyGroup(core: Core, open: Session, group: string): Promise<Finding[]> {
  const outside = await whyOutside(core, group)
  const waiting: Finding[] = []
  for (const download of open.downloads.all) {
    if (download.record.group !== group || download.state === 'complete') continue
    waiting.push(...whyNamed(core, download))
  }
  for (const { name } of open.sharesIn(group, sharesMax)) {
    const share = await open.shares.evidence({ group, name })
    if (share === undefined) continue
    const findings = whyShare({ ...share, activeUsers: 0 }, core.link.evidence, undefined)
    const waits = findings.filter(({ code }) => code !== 'sharing')
    waiting.push(...firstOf(name, waits))
  }
  return [...outside, ...waiting]
}

/** Nothing for a member. */
async function whyOutside(core: Core, group: string): Promise<Finding[]> {
  const groups = await answered(core, () => allGroups(core.link))
  if (groups === undefined) return noAnswer(core)
  if (!groups.ok) return [finding('tracker-refuses', groups.refusal.sentence)]
  const standing: Standing | undefined = groups.value.find((entry) => entry.group === group)?.standing
  return whyNotIn(group, standing)
}

function noAnswer({ link }: Core): Finding[] {
  const none = whyNoTracker(link.evidence)
  return none.length > 0 ? none : [finding('tracker-gone')]
}

/** Undefined when no tracker answers soon. */
async function answered<T>({ link }: Core, ask: () => Promise<Answer<T>>): Promise<Answer<T> | undefined> {
  if (!link.isUp) return undefined
  try {
    return await atMost(ask(), patienceMs)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return undefined
  }
}

function isSeeder({ complete }: Peer): boolean {
  return complete
}

function userOf({ user }: Peer): string {
  return user
}
