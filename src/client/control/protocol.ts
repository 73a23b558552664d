// The protocol between a terminal, script or page and the client that runs: every operation is a method of the same
// name. Both ends are programs of one user and of one version, which `hello` makes sure of, so what they tell each
// other is not checked field by field.

import * as v from 'valibot'
import { Count, Nothing } from '../../common/protocol/fields.ts'
import type { Answer } from '../../common/refusal.ts'
import type { Protocol } from '../../common/wire/methods.ts'
import type { ClientEvent, Operations } from '../operations.ts'

/** What another process can ask for: all but what `hello` and notifications say, and the end. */
export type RemoteOperation = Exclude<keyof Operations, 'whoami'>

type IsAnswer<O extends (...given: never[]) => unknown> =
  Awaited<ReturnType<O>> extends Answer<unknown> ? 'answers' : 'returns'

/**
 * Whether the operation may refuse, or always has a result. Typed as a record so that an operation which is missing here
 * does not compile.
 */
export const remoteOperations: { readonly [O in RemoteOperation]: IsAnswer<Operations[O]> } = {
  createUser: 'answers',
  login: 'answers',
  logout: 'answers',
  changePassword: 'answers',
  resetPassword: 'answers',
  deleteAccount: 'answers',
  createGroup: 'answers',
  listGroups: 'answers',
  joinGroup: 'answers',
  listRequests: 'answers',
  acceptRequest: 'answers',
  rejectRequest: 'answers',
  leaveGroup: 'answers',
  listMembers: 'answers',
  removeMember: 'answers',
  uploadFile: 'answers',
  listFiles: 'answers',
  listFolder: 'answers',
  listVersions: 'answers',
  downloadFile: 'answers',
  subscribe: 'answers',
  unsubscribe: 'answers',
  listSubscriptions: 'answers',
  showDownloads: 'returns',
  showHashing: 'returns',
  showUploads: 'returns',
  inspect: 'answers',
  pauseDownload: 'answers',
  resumeDownload: 'answers',
  cancelDownload: 'answers',
  prioritize: 'answers',
  stopShare: 'answers',
  setLimit: 'answers',
  listLimits: 'returns',
  downloadsSettled: 'returns',
  why: 'answers',
  doctor: 'returns',
  showPage: 'answers',
  showGuestPlace: 'returns',
  shareLink: 'answers',
  listLinks: 'answers',
  revokeLink: 'answers',
}
export const remoteNames = Object.keys(remoteOperations) as RemoteOperation[]

/** Which argument is a path, which means something else in another working folder. */
export const pathArguments: { readonly [O in RemoteOperation]?: number } = {
  uploadFile: 0,
  downloadFile: 2,
  subscribe: 2,
}

/** `given`: the arguments of the operation, in its order. */
const operation = {
  stage: 'greeted',
  params: v.object({ given: v.array(v.unknown()) }),
  /** Absent for an operation that has no result. */
  result: v.object({ value: v.optional(v.unknown()) }),
} as const

export const controlProtocol = {
  requests: {
    hello: {
      stage: 'connected',
      /** `listen`: where the caller would listen, as it was typed, if it asks for a client of that address. */
      params: v.object({ protocol: Count, program: v.string(), listen: v.optional(v.string()) }),
      /** `user`: who is logged in; events tell when that changes. */
      result: v.object({ program: v.string(), user: v.optional(v.string()) }),
    },
    ping: { stage: 'greeted', params: Nothing, result: Nothing },
    ...(Object.fromEntries(remoteNames.map((name) => [name, operation])) as Record<
      RemoteOperation,
      typeof operation
    >),
  },
  toCaller: {
    event: v.object({ event: v.custom<ClientEvent>(() => true) }),
  },
  toResponder: {},
} as const satisfies Protocol

export type ControlProtocol = typeof controlProtocol

/** Where the client that runs listens, in its data folder. */
export const socketName = 'control.sock'

/** Up with each change that a program of before would not understand. */
export const controlVersion = 1

/** A listing of all entries of a group is one line. */
export const controlLineBytesMax = 256 * 1024 * 1024
