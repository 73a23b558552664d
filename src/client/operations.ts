// What a person can do with a client, without saying how it is typed or shown. The prompt calls it;
// client.ts implements it over the tracker link, the share library and the downloads.

import type { FileEntry, GroupEntry } from '../common/protocol/tracker-protocol.ts'
import type { Answer } from '../common/refusal.ts'

export type DownloadState = 'running' | 'complete' | 'paused' | 'failed'

/** A download as it stands now. */
export interface DownloadView {
  readonly group: string
  readonly name: string
  readonly state: DownloadState
  /** Why it is paused or failed, or what a running one waits for. */
  readonly why?: string
  /** The final path of the file. */
  readonly destination: string
  readonly sizeBytes: number
  readonly pieceCount: number
  /** Verified and written. */
  readonly piecesDone: number
  readonly bytesPerSecond: number
  /** Verified pieces by who sent them, as `user@ip:port`. */
  readonly piecesByPeer: ReadonlyMap<string, number>
}

export interface SharedFile {
  readonly name: string
  readonly group: string
  readonly sizeBytes: number
  readonly pieceCount: number
  /** The version of this user that it takes the place of. `isElsewhere`: that is another file here. */
  readonly replaces?: { readonly path: string; readonly sizeBytes: number; readonly isElsewhere: boolean }
}

/** What happens on its own and a person wants to know. */
export type ClientEvent =
  | { readonly kind: 'download-complete'; readonly group: string; readonly name: string }
  | { readonly kind: 'download-failed'; readonly group: string; readonly name: string; readonly why: string }
  | { readonly kind: 'join-requested'; readonly group: string; readonly user: string }
  | { readonly kind: 'request-decided'; readonly group: string; readonly accepted: boolean }
  | { readonly kind: 'removed-from-group'; readonly group: string }
  | { readonly kind: 'became-owner'; readonly group: string }
  | { readonly kind: 'trackers-lost' }
  | { readonly kind: 'tracker-back' }
  /** Anything else, as one sentence. */
  | { readonly kind: 'notice'; readonly sentence: string }

export interface Operations {
  createUser(user: string, password: string): Promise<Answer<void>>
  /** Shares and unfinished downloads of this user resume. */
  login(user: string, password: string): Promise<Answer<void>>
  /** Sharing stops and downloads pause until the next login. */
  logout(): Promise<Answer<void>>
  /** The user that is logged in, if any. */
  whoami(): string | undefined

  createGroup(group: string): Promise<Answer<void>>
  listGroups(): Promise<Answer<GroupEntry[]>>
  joinGroup(group: string): Promise<Answer<void>>
  /** Users that ask to join, oldest first. */
  listRequests(group: string): Promise<Answer<string[]>>
  acceptRequest(group: string, user: string): Promise<Answer<void>>
  rejectRequest(group: string, user: string): Promise<Answer<void>>
  leaveGroup(group: string): Promise<Answer<void>>
  listMembers(group: string): Promise<Answer<string[]>>
  removeMember(group: string, user: string): Promise<Answer<void>>

  /** Hashes and shares a file. Also takes `group, path`, where only that order makes sense. */
  uploadFile(path: string, group: string): Promise<Answer<SharedFile>>
  listFiles(group: string): Promise<Answer<FileEntry[]>>
  /** Begins a download. `waiting`: nobody online has the file, it begins when somebody appears. */
  downloadFile(
    group: string,
    name: string,
    destination: string,
    options: { overwrite: boolean },
  ): Promise<Answer<{ destination: string; waiting: boolean }>>
  /** In the order they were asked for; those of earlier sessions that are unfinished come first. */
  showDownloads(): DownloadView[]
  pauseDownload(group: string, name: string): Promise<Answer<void>>
  resumeDownload(group: string, name: string): Promise<Answer<void>>
  /** Ends a download that is not complete, and removes what was fetched of it. */
  cancelDownload(group: string, name: string): Promise<Answer<void>>
  /** `isTold`: the trackers know; else they are told when one is back. Nothing is served any more in any case. */
  stopShare(group: string, name: string): Promise<Answer<{ isTold: boolean }>>

  /** Bytes a second, over all transfers; undefined for no limit. */
  setLimit(direction: 'upload' | 'download', bytesPerSecond: number | undefined): void
  /**
   * Resolves when no download runs (of this group, where one is named). With `giveUpWithoutSeederMs`, one
   * that has no reachable seeder for so long meanwhile counts as failed; it resumes at the next login.
   */
  downloadsSettled(group?: string, giveUpWithoutSeederMs?: number): Promise<void>
  /** Stops at once. What is unfinished resumes at the next login. */
  close(): Promise<void>
}
