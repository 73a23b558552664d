// The operations of a client, independent of how commands are typed or shown, and of the process that asks for them.
// The prompt calls them; `actions` does them, with the tracker link, the share library and the downloads.

import type { EntryVersion, FileEntry, GroupEntry } from '../common/protocol/listings.ts'
import type { Answer } from '../common/refusal.ts'
import type { TreeEntry } from '../common/tree/tree.ts'
import type { Check } from './diagnosis/checks.ts'
import type { Finding } from './diagnosis/reasons.ts'
import type { LinkOperations } from './link-operations.ts'
import type { SubscriptionOperations } from './subscription-operations.ts'
import type { Way } from './way.ts'

export type DownloadState = 'running' | 'complete' | 'paused' | 'failed'

/** What of a file on disk is being read and hashed, to see what is good of it. */
export interface VerifyingView {
  readonly sizeBytes: number
  readonly bytesDone: number
  readonly bytesPerSecond: number
}

/** Which downloads go first. Highest first. */
export const priorities = ['high', 'normal', 'low'] as const
export type Priority = (typeof priorities)[number]

/** The current state of a download. */
export interface DownloadView {
  readonly group: string
  readonly name: string
  readonly state: DownloadState
  /** Why it is paused or failed, or what it waits for while running. */
  readonly why?: string
  readonly priority: Priority
  /** The final path of the file. */
  readonly destination: string
  readonly sizeBytes: number
  readonly pieceCount: number
  /** Verified and written. */
  readonly piecesDone: number
  readonly bytesPerSecond: number
  /** Peers that are connected and may send. */
  readonly peerCount: number
  /** Verified pieces by sender in this session, as `user@ip:port`, in the order in which they began. */
  readonly piecesByPeer: readonly (readonly [peer: string, pieces: number, way: Way])[]
  /** While what is there is verified. */
  readonly verifying?: VerifyingView
}

/** A file or folder that is being read and hashed, before it is shared. */
export interface HashingView {
  readonly group: string
  readonly name: string
  readonly path: string
  readonly sizeBytes: number
  readonly bytesDone: number
  /** 0 for one that waits for its turn. */
  readonly bytesPerSecond: number
}

/** Somebody who fetches a file from this client. */
export interface UploadView {
  readonly group: string
  readonly name: string
  readonly user: string
  /** `user@ip`. */
  readonly peer: string
  readonly bytesPerSecond: number
  /** Sent on this connection. */
  readonly sentBytes: number
  readonly way: Way
  readonly pieceCount: number
  /** How many pieces the peer has or is being sent, as far as it said; at least what it got from here. */
  readonly pieces: number
  /** By which link a guest fetches; absent for a member. */
  readonly link?: number
}

/** Neighbouring pieces of a file, as numbers: here, on their way, to be had from a connected peer, from none of them. */
export type MapCell = readonly [have: number, underWay: number, available: number, nowhere: number]

/** A client that is connected for a file. */
export interface PeerView {
  readonly peer: string
  readonly user: string
  /** How many pieces it has, as far as it said; undefined when it did not. */
  readonly pieces: number | undefined
  /** From it to this client. */
  readonly bytesInPerSecond: number
  /** From this client to it. */
  readonly bytesOutPerSecond: number
  readonly way: Way
  /** Why it is not connected by a better way, where none of those opened. */
  readonly whyNot?: string | undefined
}

/** A member of the group who has a part of the file and is online. */
export interface LackingMember {
  readonly user: string
  /** Of the client of theirs that has most; undefined when none is connected here. */
  readonly pieces: number | undefined
  /** At the present rate; undefined when nothing is known to come. */
  readonly secondsLeft: number | undefined
}

/** Who of the group has the file, as far as trackers and peers say. */
export interface AudienceView {
  /** Users online with the whole file; at most 50. */
  readonly whole: readonly string[]
  readonly lacking: readonly LackingMember[]
  /** Members who are not online with any of it; the first few. */
  readonly absent: readonly string[]
  readonly absentCount: number
}

/** One file of a group: how it stands here, and who else has it. */
export interface EntryView {
  readonly group: string
  readonly name: string
  /** `shared`: whole, and given to others. */
  readonly state: DownloadState | 'shared'
  /** Why it is paused or failed, or what it waits for. */
  readonly why?: string
  /** Of a download. */
  readonly priority?: Priority
  readonly sizeBytes: number
  readonly pieceCount: number
  readonly piecesDone: number
  readonly bytesInPerSecond: number
  readonly bytesOutPerSecond: number
  /** In order, all pieces in at most 512 cells; empty while nothing is known. */
  readonly map: readonly MapCell[]
  readonly peers: readonly PeerView[]
  /** Undefined while no tracker answers. */
  readonly audience?: AudienceView
}

/** A file or folder that is shared. */
export interface SharedFile {
  readonly name: string
  readonly group: string
  readonly sizeBytes: number
  readonly pieceCount: number
  /** How many files a folder has; absent for a single file. */
  readonly files?: number
  /** What was left out of a folder: the first few paths within it, and how many in all. */
  readonly skipped?: { readonly paths: readonly string[]; readonly count: number }
  /**
   * The user's version that it replaces. `path`: undefined if that is on another machine. `isElsewhere`: that is
   * not the file at this path. `version` counts from 1, `atMs` says when it came, where the trackers know; 0 where not.
   */
  readonly replaces?: {
    readonly path: string | undefined
    readonly sizeBytes: number
    readonly isElsewhere: boolean
    readonly version?: number
    readonly atMs?: number
  }
}

/** Something that happened asynchronously and a person wants to know. */
export type ClientEvent =
  | {
      readonly kind: 'download-complete'
      readonly group: string
      readonly name: string
      readonly sizeBytes: number
      /** Since it was begun, or last resumed. */
      readonly seconds: number
    }
  | { readonly kind: 'download-failed'; readonly group: string; readonly name: string; readonly why: string }
  | {
      readonly kind: 'join-requested'
      readonly group: string
      readonly user: string
      /** Of one that is repeated: how often in all, and since when, in milliseconds since 1970. */
      readonly times?: number
      readonly sinceMs?: number
    }
  | { readonly kind: 'request-decided'; readonly group: string; readonly accepted: boolean }
  | { readonly kind: 'removed-from-group'; readonly group: string }
  | { readonly kind: 'became-owner'; readonly group: string }
  /** A guest begins to fetch by a link. */
  | {
      readonly kind: 'link-used'
      readonly link: number
      readonly group: string
      readonly name: string
      /** The network that it comes from. */
      readonly guest: string
      /** With this one. */
      readonly uses: number
      /** How often it may be used; absent for any number. */
      readonly times?: number
    }
  /** A link has ended, since what it leads to is not shared any more. */
  | {
      readonly kind: 'link-ended'
      readonly link: number
      readonly group: string
      readonly name: string
    }
  | { readonly kind: 'user-changed'; readonly user: string | undefined }
  /** `trackers`: the addresses that are tried again. */
  | { readonly kind: 'trackers-lost'; readonly trackers: readonly string[] }
  | { readonly kind: 'tracker-back' }
  /** Anything else, as one sentence. */
  | { readonly kind: 'notice'; readonly sentence: string }

export interface AccountOperations {
  /** `invite`: a code from whoever runs the trackers, where new users need one. */
  createUser(user: string, password: string, invite?: string): Promise<Answer<void>>
  /**
   * Resumes the shares and unfinished downloads of this user. `remember`: later starts of the client log in by
   * themselves, until the logout. Of a user who is logged in already, the password is of no concern.
   */
  login(user: string, password: string, remember?: boolean): Promise<Answer<void>>
  /** Stops sharing and pauses downloads until the next login. A remembered login is forgotten. */
  logout(): Promise<Answer<void>>
  /** Needs the old password; the user's other clients are logged out. */
  changePassword(old: string, password: string): Promise<Answer<void>>
  /** With a code from whoever runs the trackers; all clients of the user are logged out. */
  resetPassword(user: string, code: string, password: string): Promise<Answer<void>>
  /** Leaves all groups and logs out; the name is free then. */
  deleteAccount(password: string): Promise<Answer<void>>
  /** The logged-in user, if any. */
  whoami(): string | undefined
}

export interface GroupOperations {
  /** `hidden`: listed only to its members and those who ask to join. */
  createGroup(group: string, hidden?: boolean): Promise<Answer<void>>
  listGroups(): Promise<Answer<GroupEntry[]>>
  joinGroup(group: string): Promise<Answer<void>>
  /** Users that ask to join, oldest request first. */
  listRequests(group: string): Promise<Answer<string[]>>
  acceptRequest(group: string, user: string): Promise<Answer<void>>
  rejectRequest(group: string, user: string): Promise<Answer<void>>
  leaveGroup(group: string): Promise<Answer<void>>
  listMembers(group: string): Promise<Answer<string[]>>
  removeMember(group: string, user: string): Promise<Answer<void>>
}

export interface DownloadOptions {
  /** Replace what is there: a file, or a folder that is an earlier version as it was fetched or shared. */
  readonly overwrite: boolean
  /** Take what is there for the content, or refuse. */
  readonly adopt?: boolean | undefined
  /** The absolute path of a file or folder that may have pieces of it. */
  readonly from?: string | undefined
}

export interface BegunDownload {
  /** The final path. */
  readonly destination: string
  /** Nobody online has it; it begins when somebody does. */
  readonly waiting: boolean
  /** It is there already and is shared from there; nothing is fetched. */
  readonly adopted?: true
}

export interface ListingOptions {
  /** With the version of each, when it came and from whom. */
  readonly details?: boolean | undefined
  /** Only what comes behind this name, from the beginning again where it was removed. */
  readonly after?: string | undefined
  /** The first so many of it; by default all. */
  readonly atMost?: number | undefined
}

export interface FileOperations {
  /**
   * Hashes and shares a file or folder. `skipSpecial`: leave out links, sockets, devices and pipes instead of refusing
   * the folder.
   */
  uploadFile(path: string, group: string, options?: { skipSpecial: boolean }): Promise<Answer<SharedFile>>
  /** By name. */
  listFiles(group: string, options?: ListingOptions): Promise<Answer<FileEntry[]>>
  /**
   * What is in a folder, in the order of its tree. `name`: of the entry, and behind a "/" the path or pattern of a part
   * of it.
   */
  listFolder(group: string, name: string): Promise<Answer<TreeEntry[]>>
  /** The content that a name has, and those before it that are remembered, the latest first. */
  listVersions(group: string, name: string): Promise<Answer<EntryVersion[]>>
  /** Starts a download, or shares what is at the destination already. */
  downloadFile(
    group: string,
    name: string,
    destination: string,
    options: DownloadOptions,
  ): Promise<Answer<BegunDownload>>
  /** Stops serving the file, or hashing it, at once. `isTold`: the trackers know; otherwise they are told later. */
  stopShare(group: string, name: string): Promise<Answer<{ isTold: boolean }>>
}

export type Direction = 'upload' | 'download'

/** In minutes since midnight, local time; an end before the beginning is on the next day. */
export interface Hours {
  readonly fromMinute: number
  readonly toMinute: number
}

export interface LimitRule {
  readonly direction: Direction
  /** Undefined means no limit. */
  readonly bytesPerSecond?: number | undefined
  /** Undefined for the whole day. */
  readonly hours?: Hours | undefined
  /** Undefined for all transfers of the direction together. */
  readonly entry?: { readonly group: string; readonly name: string } | undefined
}

/** Which downloads to wait for, and for how long. */
export interface AwaitedDownloads {
  readonly group?: string | undefined
  /** Of the group. */
  readonly name?: string | undefined
  /** One that has no reachable seeder for that long counts as failed; it resumes at the next login. */
  readonly giveUpWithoutSeederMs?: number | undefined
  readonly timeoutMs?: number | undefined
}

export interface DownloadOperations {
  /** In the order of the commands; unfinished ones of earlier sessions come first. */
  showDownloads(): Promise<DownloadView[]>
  pauseDownload(group: string, name: string): Promise<Answer<void>>
  resumeDownload(group: string, name: string): Promise<Answer<void>>
  /** Ends an incomplete download and removes what it fetched. */
  cancelDownload(group: string, name: string): Promise<Answer<void>>
  /**
   * Which downloads go first, of those that run at the same time; without a priority nothing changes. Resolves to the one
   * that holds. It is remembered with the download.
   */
  prioritize(group: string, name: string, priority?: Priority): Promise<Answer<Priority>>
  /**
   * Of all transfers together. A plain rule holds until the client ends, and one without a rate takes all others of its
   * direction away; one with hours holds instead meanwhile, every day, and is remembered. One for an entry holds besides,
   * and goes with the download, or with what is shared.
   */
  setLimit(rule: LimitRule): Promise<Answer<void>>
  /** A plain rule for each direction, those with hours, as they were given, and those of single entries. */
  listLimits(): Promise<readonly LimitRule[]>
  /** Resolves when none of these downloads runs: to true, or to false when `timeoutMs` were over before. */
  downloadsSettled(which?: AwaitedDownloads): Promise<boolean>
}

/** What goes on, to be looked at. */
export interface SeeingOperations {
  /** What is being hashed, in the order in which it began. */
  showHashing(): Promise<HashingView[]>
  /** Who fetches what from this client; those who were sent something of late. */
  showUploads(): Promise<UploadView[]>
  /** How a file that is shared or downloaded here stands, here and in the group. */
  inspect(group: string, name: string): Promise<Answer<EntryView>>
}

export interface DiagnosisOperations {
  /**
   * What a download or share waits for, most important first. Without `name`: each entry of the group that waits for
   * something; none where all goes well. Answers within 5 s, also when nobody is logged in or no tracker answers.
   */
  why(group: string, name?: string): Promise<Answer<Finding[]>>
  /** Looks at what this client needs to work. Answers within 5 s. */
  doctor(): Promise<Check[]>
}

/** The page of this client, for a browser on this machine. */
export interface PageOperations {
  /**
   * Serves the page from now on, if it is not served yet, and makes a link to it, which opens it once within two minutes.
   * `port`: of 127.0.0.1; without it any free one, or the one where the page is already.
   */
  showPage(port?: number): Promise<Answer<{ link: string }>>
}

export interface Operations
  extends
    AccountOperations,
    GroupOperations,
    FileOperations,
    SubscriptionOperations,
    DownloadOperations,
    SeeingOperations,
    DiagnosisOperations,
    PageOperations,
    LinkOperations {}
