// Judges what `doctor` looked at: each check is fine, worth knowing, or a problem, with what to do. Pure.

import { counted } from '../../common/counted.ts'
import { endOfFixes, isOlderNode, oldestNode } from '../../common/node-version.ts'
import { formatSize } from '../../common/sizes.ts'
import { countedByWay, type Way } from '../way.ts'
import type { PortMapEvidence, ReachEvidence, TrackerEvidence } from './evidence.ts'
import { reasons, type WhyCode } from './reasons.ts'
import { spanOf } from './spans.ts'
import { whyNoTracker } from './trackers.ts'

export type CheckName =
  'version' | 'permissions' | 'disk' | 'address' | 'reach' | 'port-map' | 'ways' | 'trackers' | 'clock'

export interface Check {
  readonly check: CheckName
  readonly state: 'ok' | 'warning' | 'problem'
  readonly sentence: string
  /** What to do about it; absent where it is fine. */
  readonly remedy?: string
}

/** A folder that this client writes to. */
export interface FolderFacts {
  readonly path: string
  readonly use: 'data' | 'downloads'
  readonly freeBytes: number | undefined
  /** What is still to be written there. */
  readonly neededBytes: number
  readonly isWritable: boolean
  /** Others than its owner can read or write there. */
  readonly isOpenToOthers: boolean
}

export interface DoctorFacts {
  readonly version: string
  readonly nodeVersion: string
  /** Begins with the date: `2026-11-29`. */
  readonly today: string
  readonly folders: readonly FolderFacts[]
  /** Where it listens, as `ip:port`. */
  readonly listening: string
  /** This machine has that address no more. */
  readonly isListeningInVain: boolean
  readonly trackers: readonly TrackerEvidence[]
  readonly clocks: readonly { readonly address: string; readonly aheadMs: number }[]
  /** Undefined while no address is known. */
  readonly reach: ReachEvidence | undefined
  /** Undefined where no router was to forward a port. */
  readonly portMap: PortMapEvidence | undefined
  /** By which way each client is connected that this one exchanges files with. */
  readonly ways: readonly Way[]
  /** All trackers run on this machine. */
  readonly isLocal: boolean
}

/** Of room in the data folder: hashes and progress of some downloads. */
const leastDataBytes = 64 * 1024 * 1024
/** Tickets are judged by the clocks of trackers, so smaller differences hurt nobody. */
const clockMs = 60_000

/** In a fixed order, each at least once. */
export function checksOf(facts: DoctorFacts): Check[] {
  return [
    versionOf(facts),
    ...fixesOf(facts),
    ...facts.folders.flatMap(permissionsOf),
    ...facts.folders.flatMap(diskOf),
    addressOf(facts),
    reachOf(facts),
    ...portMapOf(facts),
    ...waysOf(facts),
    ...trackersOf(facts),
    clockOf(facts),
  ]
}

function versionOf({ version, nodeVersion, trackers }: DoctorFacts): Check {
  const check = 'version'
  if (isOlderNode(nodeVersion))
    return {
      check,
      state: 'problem',
      sentence: `Node.js ${nodeVersion} is too old for this client`,
      remedy: `install Node.js ${oldestNode} or newer`,
    }
  const others = trackers.filter(({ program }) => program !== undefined && program.split('/')[1] !== version)
  const [other] = others
  if (other === undefined)
    return { check, state: 'ok', sentence: `coterie ${version}, Node.js ${nodeVersion}` }
  return {
    check,
    state: 'warning',
    sentence: `this is coterie ${version}, the tracker ${other.address} is ${other.program}`,
    remedy: 'install the same version at both ends',
  }
}

function fixesOf({ nodeVersion, today }: DoctorFacts): Check[] {
  const ended = isOlderNode(nodeVersion) ? undefined : endOfFixes(nodeVersion, today)
  return ended === undefined ? [] : [{ check: 'version', state: 'warning', ...ended }]
}

function permissionsOf({ path, use, isWritable, isOpenToOthers }: FolderFacts): Check[] {
  const check = 'permissions'
  if (!isWritable) {
    const remedy = 'give yourself the right to write there'
    return [{ check, state: 'problem', sentence: `${path} cannot be written to`, remedy }]
  }
  if (use === 'downloads') return []
  if (!isOpenToOthers) return [{ check, state: 'ok', sentence: `${path} is yours alone` }]
  const sentence = `others on this machine can look into ${path}`
  return [{ check, state: 'warning', sentence, remedy: `run: chmod 700 ${path}` }]
}

function diskOf({ path, use, freeBytes, neededBytes }: FolderFacts): Check[] {
  const check = 'disk'
  if (freeBytes === undefined) return []
  const wanted = use === 'data' ? leastDataBytes : neededBytes
  const sentence = `${formatSize(freeBytes)} free at ${path}`
  if (freeBytes >= wanted) return [{ check, state: 'ok', sentence }]
  return [
    {
      check,
      state: 'problem',
      sentence: `${sentence}, and ${formatSize(wanted)} are needed`,
      remedy: 'free some space',
    },
  ]
}

function addressOf({ listening, isListeningInVain, reach, isLocal }: DoctorFacts): Check {
  const check = 'address'
  if (isListeningInVain) {
    const sentence = `listens on ${listening}, an address that this machine has no more`
    const remedy =
      'start the client with its new address, or with 0.0.0.0; nothing is to do if the old one comes back'
    return { check, state: 'problem', sentence, remedy }
  }
  if (reach === undefined)
    return {
      check,
      state: 'ok',
      sentence: `listens on ${listening}; no tracker tells yet where others reach it`,
    }
  const how = {
    own: 'its own address',
    seen: 'the address that a tracker sees',
    advertised: 'the address of --advertise',
  }
  const sentence = `listens on ${listening}; others connect to ${reach.address}, ${how[reach.source]}`
  if (!reach.isLoopback || isLocal) return { check, state: 'ok', sentence }
  const remedy = 'start the client with the address of this machine in your network, or with --advertise'
  return { check, state: 'problem', sentence: `${sentence}, which only this machine can reach`, remedy }
}

function reachOf({ reach, trackers }: DoctorFacts): Check {
  const check = 'reach'
  const looks = trackers.flatMap(({ address, cameHere }) =>
    cameHere ? [{ tracker: address, ...cameHere }] : [],
  )
  const look = looks.find(({ isReached }) => isReached) ?? looks[0]
  if (look !== undefined) {
    const { tracker, address, isReached, why } = look
    if (isReached && why === undefined)
      return { check, state: 'ok', sentence: `${address}: the tracker ${tracker} came here from outside` }
    const remedy = isReached
      ? 'leave out --advertise, or ask whoever runs the tracker to allow that address'
      : 'nothing to do, others come by other ways; to be faster, start with --map-port or forward the port'
    return {
      check,
      state: 'warning',
      sentence: why ?? `${address}: the tracker ${tracker} could not come here`,
      remedy,
    }
  }
  if (reach === undefined)
    return {
      check,
      state: 'warning',
      sentence: 'not tried whether others can connect: no tracker is connected',
      remedy: 'type doctor again when one is',
    }
  if (reach.problem === undefined) {
    const limits = 'this client reaches itself there; a firewall or router may still keep others out'
    return { check, state: 'ok', sentence: `${reach.address}: ${limits}` }
  }
  return {
    check,
    state: 'problem',
    sentence: `this client is not at ${reach.address}: ${reach.problem}`,
    remedy:
      'forward that port to this client, or correct --advertise; some routers refuse only this try from inside',
  }
}

function portMapOf({ portMap }: DoctorFacts): Check[] {
  if (portMap === undefined) return []
  const check = 'port-map'
  const { port, problem } = portMap
  if (port !== undefined && problem === undefined)
    return [{ check, state: 'ok', sentence: `a router forwards its port ${port} to this client` }]
  const remedy = 'switch on UPnP or NAT-PMP in the router, or forward the port there by hand'
  return [{ check, state: 'warning', sentence: problem ?? 'no router has answered', remedy }]
}

function waysOf({ ways }: DoctorFacts): Check[] {
  if (ways.length === 0) return []
  const sentence = `${counted(ways.length, 'client is', 'clients are')} connected: ${countedByWay(ways)}`
  return [{ check: 'ways', state: 'ok', sentence }]
}

function trackersOf({ trackers }: DoctorFacts): Check[] {
  return trackers.map((tracker): Check => {
    const check = 'trackers'
    const { address, state, program, sinceMs: _, sentence } = tracker
    if (state === 'up')
      return { check, state: 'ok', sentence: `${address} is connected, ${program}, with the right key` }
    const [why] = whyNoTracker([tracker])
    const code: WhyCode = why?.code ?? 'tracker-gone'
    const said = `${address}: ${sentence ?? reasons[code].means}`
    // A list may name trackers that are not there yet; one that answers is enough.
    const howBad = trackers.some((one) => one.state === 'up') ? 'warning' : 'problem'
    return { check, state: howBad, sentence: said, remedy: reasons[code].remedy }
  })
}

function clockOf({ clocks }: DoctorFacts): Check {
  const check = 'clock'
  const [first] = clocks.toSorted((one, other) => Math.abs(other.aheadMs) - Math.abs(one.aheadMs))
  if (first === undefined)
    return {
      check,
      state: 'warning',
      sentence: 'not compared: no tracker is connected',
      remedy: 'type doctor again when one is connected',
    }
  const { address, aheadMs } = first
  if (Math.abs(aheadMs) < clockMs)
    return { check, state: 'ok', sentence: 'this clock and those of the trackers agree' }
  const which = aheadMs > 0 ? 'ahead of' : 'behind'
  return {
    check,
    state: 'warning',
    sentence: `the clock of ${address} is ${spanOf(Math.abs(aheadMs))} ${which} this one`,
    remedy: 'set the wrong clock, best by NTP; transfers depend on it',
  }
}
