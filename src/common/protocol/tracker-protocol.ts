// The protocol between a client (the caller) and a tracker. PROTOCOL.md explains every entry; a test
// compares it with this table.

import * as v from 'valibot'
import { announceFilesMax, earlierVersionsMax, pageEntries, peersPerFileMax } from '../limits.ts'
import { FileName, GroupName, UserName } from '../names.ts'
import type { Protocol } from '../wire/methods.ts'
import type * as listed from './listings.ts'
import {
  Count,
  FileId,
  FileVersion,
  Nonce,
  Nothing,
  PublicKey,
  ScramText,
  SessionText,
  Signature,
  SizeBytes,
  TicketText,
  TimeMs,
} from './fields.ts'
import {
  changed,
  credentials,
  edition,
  files,
  id,
  OneTimeCode,
  page,
  Peer,
  Place,
  ScramKey,
  seen,
  session,
  TrackerKeys,
  users,
  ways,
  where,
} from './tracker-fields.ts'

export { Peer } from './tracker-fields.ts'

const Standing = v.picklist(['owner', 'member', 'requested', 'none'])

const GroupEntry = v.object({
  group: GroupName,
  owner: UserName,
  members: Count,
  standing: Standing,
  hidden: v.optional(v.boolean()),
}) satisfies v.GenericSchema<unknown, listed.GroupEntry>

const FileEntry = v.object({
  name: FileName,
  sizeBytes: SizeBytes,
  seeders: Count,
  ...files,
  /** There when `details` were asked for. */
  details: v.optional(v.object({ fileId: FileId, ...edition })),
}) satisfies v.GenericSchema<unknown, listed.FileEntry>

const EntryVersion = v.object({
  fileId: FileId,
  sizeBytes: SizeBytes,
  ...files,
  ...edition,
}) satisfies v.GenericSchema<unknown, listed.EntryVersion>

export const trackerProtocol = {
  requests: {
    hello: {
      stage: 'connected',
      cost: 10,
      params: v.object({
        protocol: Count,
        program: v.pipe(v.string(), v.maxLength(64)),
        capabilities: v.optional(v.pipe(v.array(v.string()), v.maxLength(16))),
      }),
      /** `cluster` names the community that shares one log; `nonce` is for the proof of the client's key. */
      result: v.object({
        protocol: Count,
        program: v.string(),
        capabilities: v.array(v.string()),
        cluster: v.string(),
        key: PublicKey,
        nonce: Nonce,
        timeMs: TimeMs,
      }),
    },
    /** `timeMs` is the tracker's clock; before 0.2 only `hello` told it. */
    ping: { stage: 'greeted', cost: 5, params: Nothing, result: v.object({ timeMs: v.optional(TimeMs) }) },

    register: {
      stage: 'greeted',
      cost: 40,
      reads: true,
      mutates: true,
      params: v.strictObject({
        ...id,
        user: UserName,
        ...credentials,
        invite: v.optional(OneTimeCode),
      }),
      result: changed,
    },
    login_start: {
      stage: 'greeted',
      cost: 60,
      reads: true,
      params: v.strictObject({ clientFirst: ScramText }),
      result: v.object({ serverFirst: ScramText }),
    },
    login_finish: {
      stage: 'greeted',
      cost: 480,
      reads: true,
      params: v.strictObject({ clientFinal: ScramText, key: PublicKey, proof: Signature, ...where }),
      /** `trackers`: the keys whose tickets this community honours. `session`: for `resume_login`. */
      result: v.object({ serverFinal: ScramText, trackers: TrackerKeys, session, seen }),
    },
    /** Logs in with the session of an earlier login, here or at another tracker, and the key of then. */
    resume_login: {
      stage: 'greeted',
      cost: 660,
      reads: true,
      params: v.strictObject({ session: SessionText, nonce: Nonce, proof: Signature, ...where }),
      /** `verifier` shows that the tracker knows the user. `session`: a newer one, when this one gets old. */
      result: v.object({ verifier: ScramKey, trackers: TrackerKeys, session, seen }),
    },
    logout: { stage: 'proven', cost: 10, params: Nothing, result: Nothing },
    /**
     * The old password is proved by the answer to `login_start`; without one, only the outcome of an earlier try with
     * this id is told.
     */
    change_password: {
      stage: 'greeted',
      cost: 240,
      reads: true,
      mutates: true,
      params: v.strictObject({
        ...id,
        user: UserName,
        clientFinal: v.optional(ScramText),
        ...credentials,
      }),
      /** `session`: in the place of the one of the old password, where the user is logged in. */
      result: v.object({ session }),
    },
    /** Likewise. */
    delete_account: {
      stage: 'greeted',
      cost: 100,
      reads: true,
      mutates: true,
      params: v.strictObject({ ...id, user: UserName, clientFinal: v.optional(ScramText) }),
      result: changed,
    },
    /** Sets a new password with a code from an operator. */
    reset_password: {
      stage: 'greeted',
      cost: 60,
      reads: true,
      mutates: true,
      params: v.strictObject({ ...id, user: UserName, code: OneTimeCode, ...credentials }),
      result: changed,
    },

    create_group: {
      stage: 'proven',
      cost: 25,
      reads: true,
      mutates: true,
      /** `hidden`: listed only to its members and those who ask to join. */
      params: v.strictObject({ ...id, group: GroupName, hidden: v.optional(v.literal(true)) }),
      result: changed,
    },
    list_groups: {
      stage: 'proven',
      cost: 100,
      reads: true,
      params: v.strictObject(page),
      result: v.object({ groups: v.pipe(v.array(GroupEntry), v.maxLength(pageEntries)), more: v.boolean() }),
    },
    join_group: {
      stage: 'proven',
      cost: 25,
      reads: true,
      mutates: true,
      params: v.strictObject({ ...id, group: GroupName }),
      result: changed,
    },
    list_requests: {
      stage: 'proven',
      cost: 50,
      reads: true,
      params: v.strictObject({ group: GroupName, ...page }),
      result: users,
    },
    accept_request: {
      stage: 'proven',
      cost: 25,
      reads: true,
      mutates: true,
      params: v.strictObject({ ...id, group: GroupName, user: UserName }),
      result: changed,
    },
    reject_request: {
      stage: 'proven',
      cost: 25,
      reads: true,
      mutates: true,
      params: v.strictObject({ ...id, group: GroupName, user: UserName }),
      result: changed,
    },
    leave_group: {
      stage: 'proven',
      cost: 25,
      reads: true,
      mutates: true,
      params: v.strictObject({ ...id, group: GroupName }),
      result: changed,
    },
    list_members: {
      stage: 'proven',
      cost: 50,
      reads: true,
      params: v.strictObject({ group: GroupName, ...page }),
      result: users,
    },
    remove_member: {
      stage: 'proven',
      cost: 25,
      reads: true,
      mutates: true,
      params: v.strictObject({ ...id, group: GroupName, user: UserName }),
      result: changed,
    },

    share_file: {
      stage: 'proven',
      cost: 25,
      reads: true,
      mutates: true,
      params: v.strictObject({ ...id, ...FileVersion.entries, sizeBytes: SizeBytes, ...files }),
      result: changed,
    },
    unshare_file: {
      stage: 'proven',
      cost: 25,
      reads: true,
      mutates: true,
      params: v.strictObject({ ...id, group: GroupName, name: FileName }),
      result: changed,
    },
    list_files: {
      stage: 'proven',
      cost: 120,
      reads: true,
      params: v.strictObject({ group: GroupName, ...page, details: v.optional(v.literal(true)) }),
      result: v.object({ files: v.pipe(v.array(FileEntry), v.maxLength(pageEntries)), more: v.boolean() }),
    },
    /** The content that a name has, and those that it had before, the latest first. */
    list_versions: {
      stage: 'proven',
      cost: 40,
      reads: true,
      params: v.strictObject({ group: GroupName, name: FileName }),
      result: v.object({ versions: v.pipe(v.array(EntryVersion), v.maxLength(earlierVersionsMax + 1)) }),
    },
    /**
     * Asks to be told of new names and contents in a group (`entry_changed`). `changed`: whether there were any after the
     * position of the log `after`, or may have been.
     */
    follow_group: {
      stage: 'proven',
      cost: 20,
      reads: true,
      params: v.strictObject({ group: GroupName, after: v.optional(Count) }),
      result: v.object({ position: Count, changed: v.boolean() }),
    },
    unfollow_group: {
      stage: 'proven',
      cost: 5,
      params: v.strictObject({ group: GroupName }),
      result: Nothing,
    },
    /** Asks for a file, and subscribes to changes of its swarm. */
    find_file: {
      stage: 'proven',
      cost: 60,
      reads: true,
      params: v.strictObject({ group: GroupName, name: FileName }),
      result: v.object({
        fileId: FileId,
        sizeBytes: SizeBytes,
        ...files,
        version: v.optional(Count),
        peers: v.pipe(v.array(Peer), v.maxLength(peersPerFileMax)),
        ticket: TicketText,
        expiresMs: TimeMs,
      }),
    },
    /** Unsubscribes from the swarm of a file. */
    forget_file: {
      stage: 'proven',
      cost: 5,
      params: v.strictObject({ group: GroupName, name: FileName }),
      result: Nothing,
    },

    /**
     * Asks another client of a group, known by its key, to come to this one, since this one does not get there. `token`:
     * by which this client recognises it. With `relay`, both are also told of somebody who forwards.
     */
    call_peer: {
      stage: 'proven',
      cost: 60,
      reads: true,
      params: v.strictObject({
        group: GroupName,
        user: UserName,
        key: PublicKey,
        token: Nonce,
        relay: v.optional(v.literal(true)),
      }),
      result: v.object(ways),
    },

    /** Soft state: this client serves these files, with all (`complete`) or some of their pieces. */
    announce: {
      stage: 'proven',
      cost: 100,
      reads: true,
      params: v.strictObject({
        files: v.pipe(
          v.array(v.strictObject({ ...FileVersion.entries, complete: v.boolean() })),
          v.maxLength(announceFilesMax),
        ),
      }),
      /** Files not announced: the user is not in the group, or the group has no such file or another version. */
      result: v.object({ refused: v.array(v.object({ group: GroupName, name: FileName })) }),
    },
    retract: {
      stage: 'proven',
      cost: 60,
      params: v.strictObject({ files: v.pipe(v.array(FileVersion), v.maxLength(announceFilesMax)) }),
      result: Nothing,
    },
  },
  toCaller: {
    /** To the owner: somebody asks to join. */
    join_requested: v.object({ group: GroupName, user: UserName }),
    /** To the asker: the owner has decided. */
    request_decided: v.object({ group: GroupName, accepted: v.boolean() }),
    /** To the connected members and the user concerned: no longer a member, from this position of the log on. */
    member_left: v.object({ group: GroupName, user: UserName, position: Count }),
    /** To the new owner, when the old one left. */
    owner_changed: v.object({ group: GroupName, owner: UserName }),
    /** To those who asked for the file: peers that came or changed, and keys of those that left. */
    swarm_changed: v.object({
      ...FileVersion.entries,
      joined: v.pipe(v.array(Peer), v.maxLength(peersPerFileMax)),
      left: v.pipe(v.array(PublicKey), v.maxLength(peersPerFileMax)),
    }),
    /** To a client that another one of a group does not reach: it is asked to come to that one. */
    peer_calls: v.object({ group: GroupName, user: UserName, key: PublicKey, token: Nonce, ...ways }),
    /** Whether the tracker came to where this client says that it listens; `why` not, as a sentence. */
    reachability: v.object({
      ...Place.entries,
      reachable: v.boolean(),
      why: v.optional(v.pipe(v.string(), v.maxLength(200))),
    }),
    /** To a client that forwards: two of its group will come, each with one of the tokens. */
    relay_for: v.object({
      group: GroupName,
      users: v.strictTuple([UserName, UserName]),
      tokens: v.strictTuple([Nonce, Nonce]),
    }),
    /** To those who share it or asked for it: this version is no longer in the group. */
    file_gone: FileVersion,
    /** To those who follow the group: a new name, or other content behind one, from this position of the log on. */
    entry_changed: v.object({
      ...FileVersion.entries,
      sizeBytes: SizeBytes,
      ...files,
      version: Count,
      position: Count,
    }),
    /** To every client of the user but the one that asked for it: the login has ended, and the connection ends. */
    login_ended: v.object({ user: UserName, why: v.pipe(v.string(), v.maxLength(200)) }),
    /** The keys whose tickets this community honours have changed. */
    trackers_changed: v.object({ trackers: TrackerKeys }),
  },
  toResponder: {},
} as const satisfies Protocol

export type TrackerProtocol = typeof trackerProtocol
