// What the parts of a client have seen that explains why a transfer waits. They keep it, and the diagnosis reads it.
// Moments are milliseconds since 1970.

import type { RefusalCode } from '../../common/refusal.ts'
import type { Way } from '../way.ts'

/** Why a tracker is not used: `silent` does not answer, `hangs` has stopped answering. */
export type TrackerState =
  | 'up'
  | 'connecting'
  | 'silent'
  | 'hangs'
  | 'another-key'
  | 'not-a-tracker'
  | 'version'
  | 'full'
  | 'login-refused'
  | 'other-community'

export interface CameHere {
  /** As `ip:port`. */
  readonly address: string
  readonly isReached: boolean
  /** Why not, or why others are not sent to where the user says. */
  readonly why?: string | undefined
}

export interface TrackerEvidence {
  readonly address: string
  readonly state: TrackerState
  /** What it said, or what went wrong. */
  readonly sentence?: string | undefined
  /** Since when it is in that state. */
  readonly sinceMs: number
  /** The program that it says it is. */
  readonly program?: string | undefined
  /** The address of this machine that the connection comes from. */
  readonly calledFrom?: string | undefined
  /** Whether it came, from outside, to where others are sent to this client, once it has tried. */
  readonly cameHere?: CameHere | undefined
}

/** A try to connect to a peer. `sentence`: how it failed; undefined while it goes on. */
export interface Try {
  readonly address: string
  readonly atMs: number
  readonly sentence?: string | undefined
}

/** What is remembered of a peer that is not connected. */
export interface PeerNote {
  readonly key: string
  readonly user: string
  readonly complete: boolean
  /** The newest for each address. */
  readonly tries: readonly Try[]
  readonly refusal?: { readonly code: RefusalCode; readonly sentence: string; readonly atMs: number }
  /** Since when it has let this client in. */
  readonly admittedAtMs?: number
  /** It sent bad data or broke the protocol. */
  readonly isBanned: boolean
  /** When it was found to lack what it had announced, so its file was written to. */
  readonly changedAtMs?: number
  /** When the trackers said that it has gone. */
  readonly leftAtMs?: number
}

/** A peer that is connected and has admitted this client. */
export interface LinkEvidence {
  readonly user: string
  readonly address: string
  readonly sinceMs: number
  /** Pieces that it was asked for and has not sent. */
  readonly owes: number
  /** For how long it has sent nothing, while it owed something, in milliseconds. */
  readonly silentForMs: number
  readonly bytesPerSecond: number
  /** This client does not read from it at present, because of the download limit. */
  readonly isPaused: boolean
  /** It says which piece comes next before it may send it, as clients with an upload limit do. */
  readonly isLimited: boolean
  /** It lacked pieces that it had announced. */
  readonly hasChanged: boolean
  readonly way: Way
  /** Why not by a better one, where there is one. */
  readonly whyNot?: string | undefined
}

/** Why a download ended without the file, or was given up. */
export type EndCode = 'no-such-file' | 'no-such-group' | 'not-a-member' | 'no-seeder'

/** See `downloading/download-state.ts`, which says how one follows another. */
export type DownloadPhase =
  | 'waiting'
  | 'verifying'
  | 'fetching'
  | 'publishing'
  | 'complete'
  | 'stalled'
  | 'blocked'
  | 'paused'
  | 'failed'
  | 'cancelled'

export interface DownloadEvidence {
  readonly phase: DownloadPhase
  /** Since when it is in that phase. */
  readonly sinceMs: number
  /** The reason that was given for the phase. */
  readonly why?: string | undefined
  readonly end?: EndCode | undefined
  /** The system's code of the error that stopped it (`ENOSPC`). */
  readonly systemCode?: string | undefined
  readonly pieceCount: number
  readonly piecesDone: number
  readonly links: readonly LinkEvidence[]
  /** The peers that the trackers name, without this client, and those that have left lately. */
  readonly peers: readonly PeerNote[]
  /** How many of them are online by what the trackers say. */
  readonly onlineCount: number
  /** For how long the oldest piece has waited to be written, in milliseconds; 0 for none. */
  readonly storingForMs: number
  /** The download limit of this client, in bytes per second. */
  readonly limit?: number | undefined
  /** A download of a higher priority that it waits for. */
  readonly goesFirst?: { readonly group: string; readonly name: string } | undefined
}

export interface ShareEvidence {
  /** `checking`: it is about to be served. */
  readonly file: 'served' | 'checking' | 'gone' | 'changed' | 'replaced'
  readonly path: string
  /** Of a folder, files that are not what they were: the first few paths within it, and how many in all. */
  readonly changed?: readonly string[]
  readonly changedCount?: number
  /** The trackers have taken it. */
  readonly isListed: boolean
  /** What they answered last, where they have not. */
  readonly answer?: string | undefined
  /** The upload limit of this client, in bytes per second. */
  readonly limit?: number | undefined
  /** Users that fetch from this client. */
  readonly activeUsers: number
}

/** How this client reached itself at the address that others are told. */
export interface ReachEvidence {
  readonly address: string
  /** `own`: where this client calls from; `seen`: what a tracker told; `advertised`: as the user said. */
  readonly source: 'own' | 'seen' | 'advertised'
  /** Undefined when it was reached. */
  readonly problem?: string | undefined
  /** Only this machine can come there. */
  readonly isLoopback: boolean
}

/** A port that a router forwards to this client at its request. */
export interface PortMapEvidence {
  /** The port outside; undefined while none is forwarded. */
  readonly port: number | undefined
  /** Why none is, or why it may lead nowhere. */
  readonly problem?: string
}
