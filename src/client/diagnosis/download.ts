// What a download waits for, most important first. Pure.

import { counted } from '../../common/counted.ts'
import { formatSize } from '../../common/sizes.ts'
import type { DownloadEvidence, LinkEvidence, PeerNote, TrackerEvidence } from './evidence.ts'
import { countedByWay, isRoundabout, wayText } from '../way.ts'
import { finding, reasons, type Finding, type WhyCode } from './reasons.ts'
import { spanOf } from './spans.ts'
import { whyNoTracker } from './trackers.ts'

/** A peer that owes pieces and has been silent for so long serves others first. */
const queuedAfterMs = 1000
/** A try to connect that has had no answer for so long. */
const unansweredAfterMs = 1500
/** A piece that waits so long to be written. */
const slowDiskMs = 750
/** Slower than any line that people are content with. */
const slowBytesPerSecond = 256 * 1024
/** A transfer this close to a limit is held back by it. */
const atLimit = 0.7
/** How many peers are named with each finding. */
const namedMax = 3
/** How long a seeder that left with a changed file explains why there is none. */
const changedForMs = 10 * 60_000

/** What stands between this client and peers that it is not connected to, for each code in this order. */
const notConnected: readonly WhyCode[] = [
  'file-changed',
  'peer-version',
  'bad-peer',
  'refused',
  'queued',
  'unreachable',
]

/** `nowMs`: milliseconds since 1970. */
export function whyDownload(
  download: DownloadEvidence,
  trackers: readonly TrackerEvidence[],
  nowMs: number,
): Finding[] {
  const { phase, sinceMs, why } = download
  switch (phase) {
    case 'complete':
      return [finding('complete', undefined, { sinceMs })]
    case 'paused':
      return [finding('paused', undefined, { sinceMs })]
    case 'failed':
    case 'cancelled':
      return [...whyEnded(download, nowMs), ...whyNoTracker(trackers)]
    case 'stalled':
    case 'blocked':
      return [finding(diskCode(download), why, { sinceMs })]
    case 'verifying':
    case 'publishing':
      return [...slowDisk(download), finding('verifying', undefined, { sinceMs })]
    case 'waiting':
    case 'fetching':
      break
  }
  const none = whyNoTracker(trackers)
  const { links } = download
  if (links.length > 0) return [...whyConnected(download), ...whyRoundabout(links), ...none]
  // Without a tracker, what it said of others may be old.
  return [...none, ...whyNotConnected(download, nowMs)]
}

function whyEnded(download: DownloadEvidence, nowMs: number): Finding[] {
  const { end, why, sinceMs } = download
  if (end === 'no-seeder') return whyNotConnected({ ...download, phase: 'waiting' }, nowMs)
  return [finding(end ?? 'disk-trouble', why, { sinceMs })]
}

function diskCode({ systemCode }: DownloadEvidence): WhyCode {
  if (systemCode === 'ENOSPC' || systemCode === 'EDQUOT') return 'disk-full'
  const isForbidden = systemCode === 'EACCES' || systemCode === 'EPERM' || systemCode === 'EROFS'
  return isForbidden ? 'no-permission' : 'disk-trouble'
}

function slowDisk({ storingForMs }: DownloadEvidence): Finding[] {
  if (storingForMs < slowDiskMs) return []
  return [finding('slow-disk', `a piece has waited ${spanOf(storingForMs)} to be written`)]
}

function whyConnected(download: DownloadEvidence): Finding[] {
  const { links, limit, goesFirst } = download
  const bytesPerSecond = links.reduce((sum, link) => sum + link.bytesPerSecond, 0)
  const found = slowDisk(download)
  if (goesFirst !== undefined) {
    const sentence = `${goesFirst.name} from ${goesFirst.group} has a higher priority, and goes first`
    found.push(finding('goes-behind', sentence, { bytesPerSecond }))
  }
  const isHeld = links.some(({ isPaused }) => isPaused)
  if (limit !== undefined && (isHeld || bytesPerSecond >= atLimit * limit)) {
    const sentence = `your own download limit of ${formatSize(limit)}/s slows it down`
    found.push(finding('limited', sentence, { bytesPerSecond }))
  }
  if (found.length > 0) return found
  const giving = links.filter((link) => link.owes > 0 && link.silentForMs < queuedAfterMs)
  if (giving.length > 0) return [...whySlow(giving, bytesPerSecond)]
  const owing = links.filter(({ owes, hasChanged }) => owes > 0 && !hasChanged)
  const queued = owing.slice(0, namedMax).flatMap(whyQueued)
  const [changed] = links.filter(({ hasChanged }) => hasChanged)
  if (changed === undefined) return queued.length > 0 ? queued : [finding('pieces-missing')]
  const sentence = `${changed.user} has changed the file, and no longer has pieces that are missing here`
  return [finding('file-changed', sentence, { user: changed.user, addresses: [changed.address] }), ...queued]
}

function whyQueued({ user, address, silentForMs, isLimited }: LinkEvidence): Finding[] {
  const more = { user, addresses: [address] }
  const queued = finding(
    'queued',
    `${user} has sent nothing for ${spanOf(silentForMs)}; others come first`,
    more,
  )
  return isLimited ? [queued, limitedBy(user, address)] : [queued]
}

function limitedBy(user: string, address: string, bytesPerSecond?: number): Finding {
  const more = { user, addresses: [address], ...(bytesPerSecond !== undefined && { bytesPerSecond }) }
  return finding('limited', `${user} has set an upload limit`, more)
}

/** `giving`: the peers that send at present. */
function whySlow(giving: readonly LinkEvidence[], bytesPerSecond: number): Finding[] {
  const limited = giving.filter(({ isLimited }) => isLimited)
  if (limited.length === giving.length)
    return limited.slice(0, namedMax).map((link) => limitedBy(link.user, link.address, link.bytesPerSecond))
  const isMeasured = giving.some((link) => link.bytesPerSecond > 0)
  if (!isMeasured) return [finding('connecting', 'the first pieces have been asked for')]
  const byWay = countedByWay(giving.map(({ way }) => way))
  if (bytesPerSecond >= slowBytesPerSecond)
    return [
      finding('running', `${counted(giving.length, 'peer sends', 'peers send')} (${byWay})`, {
        bytesPerSecond,
      }),
    ]
  return giving
    .toSorted((one, other) => one.bytesPerSecond - other.bytesPerSecond)
    .slice(0, namedMax)
    .map(({ user, address, ...link }) => {
      const rate = `${formatSize(Math.round(link.bytesPerSecond))}/s`
      const more = { user, addresses: [address], bytesPerSecond: link.bytesPerSecond }
      return finding('slow-peer', `${user} sends only ${rate}`, more)
    })
}

/** Peers that could not be dialled, and by which way they are connected instead. */
function whyRoundabout(links: readonly LinkEvidence[]): Finding[] {
  return links
    .filter(({ way }) => isRoundabout(way))
    .slice(0, namedMax)
    .map(({ user, address, way, whyNot = reasons.roundabout.means }) =>
      finding('roundabout', `${user} is ${wayText(way)}: ${whyNot}`, { user, addresses: [address], way }),
    )
}

function whyNotConnected(download: DownloadEvidence, nowMs: number): Finding[] {
  const { peers, onlineCount, sinceMs } = download
  const online = peers.filter(({ leftAtMs }) => leftAtMs === undefined)
  const lately = peers.filter(
    (peer) => peer.changedAtMs !== undefined && nowMs - peer.changedAtMs < changedForMs,
  )
  const explained = new Map<WhyCode, PeerNote[]>()
  for (const peer of new Set([...lately, ...online])) {
    const code = codeOf(peer, nowMs)
    if (code !== undefined) explained.set(code, [...(explained.get(code) ?? []), peer])
  }
  const found = notConnected.flatMap((code) => {
    const those = explained.get(code)
    return those === undefined ? [] : [about(code, those)]
  })
  if (onlineCount === 0) {
    const isChanged = found.some(({ code }) => code === 'file-changed')
    return isChanged ? [...found, noSeeder(peers, nowMs)] : [noSeeder(peers, nowMs)]
  }
  return found.length > 0 ? found : [finding('connecting', undefined, { sinceMs })]
}

function codeOf(peer: PeerNote, nowMs: number): WhyCode | undefined {
  const { changedAtMs, isBanned, refusal, tries, admittedAtMs } = peer
  if (changedAtMs !== undefined) return 'file-changed'
  if (isBanned) return 'bad-peer'
  if (admittedAtMs !== undefined) return nowMs - admittedAtMs > queuedAfterMs ? 'queued' : undefined
  const failed = tries.some(
    ({ sentence, atMs }) => sentence !== undefined || nowMs - atMs > unansweredAfterMs,
  )
  const triedAtMs = Math.max(...tries.map(({ atMs }) => atMs))
  // The newest counts: a peer that refused may be out of reach by now.
  if (refusal !== undefined && (!failed || refusal.atMs >= triedAtMs)) {
    if (refusal.code === 'protocol-version') return 'peer-version'
    if (refusal.code === 'file-changed') return 'file-changed'
    return refusal.code === 'busy' ? 'queued' : 'refused'
  }
  return failed ? 'unreachable' : undefined
}

function about(code: WhyCode, peers: readonly PeerNote[]): Finding {
  const [first] = peers
  const users = [...new Set(peers.map(({ user }) => user))]
  const who = users.length > namedMax ? counted(users.length, 'user') : users.join(', ')
  const has = users.length === 1 ? 'has' : 'have'
  const addresses = peers.flatMap(({ tries }) => tries.map(({ address }) => address)).slice(0, 4 * namedMax)
  const more = { ...(first !== undefined && { user: first.user }), addresses }
  if (code === 'unreachable') {
    const how = first?.tries.find(({ sentence }) => sentence !== undefined)?.sentence
    const sentence = `no connection to ${who}: ${how ?? `no answer from ${addresses.join(', ')}`}`
    return finding(code, sentence, more)
  }
  if (code === 'file-changed')
    return finding(code, `${who} ${has} changed the file since it was shared`, more)
  if (code === 'bad-peer') return finding(code, `${who} sent bad pieces or broke the protocol`, more)
  const said = first?.refusal?.sentence
  if (code === 'queued' && said === undefined)
    return finding(code, `${who} ${has} let you in and sent nothing yet; others come first`, more)
  return finding(
    code,
    said === undefined ? undefined : `${who} ${users.length === 1 ? 'refuses' : 'refuse'}: ${said}`,
    more,
  )
}

function noSeeder(peers: readonly PeerNote[], nowMs: number): Finding {
  const [last] = peers
    .filter(({ complete, leftAtMs }) => complete && leftAtMs !== undefined)
    .toSorted((one, other) => (other.leftAtMs ?? 0) - (one.leftAtMs ?? 0))
  if (last?.leftAtMs === undefined)
    return finding('no-seeder', 'nobody who has the file is online; who was online last is not known')
  const ago = spanOf(nowMs - last.leftAtMs)
  const sentence = `nobody who has the file is online; the last was ${last.user}, ${ago} ago`
  return finding('no-seeder', sentence, { user: last.user, sinceMs: last.leftAtMs })
}
