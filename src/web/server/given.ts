// What the page may ask for, and with which arguments: a browser is told what to send by nobody, so all is checked.

import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import type { RemoteOperation } from '../../client/control/protocol.ts'
import { priorities, type Operations } from '../../client/operations.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { pageLimits } from './limits.ts'

/** All but links to the page itself: those are for who sits at the prompt. */
export type PageOperation = Exclude<RemoteOperation, 'showPage'>

const text = v.string()
const flag = v.optional(v.boolean())
/** Of bytes a second, or of anything else. */
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const minute = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(24 * 60))
const direction = v.picklist(['upload', 'download'])
const named = v.strictTuple([text, text])
const nothing = v.strictTuple([])

/** So long a page waits at most; it asks again. In milliseconds. */
const waitMaxMs = 60_000

const awaited = v.pipe(
  v.strictObject({
    group: v.optional(text),
    name: v.optional(text),
    giveUpWithoutSeederMs: v.optional(v.pipe(v.number(), v.minValue(0))),
    timeoutMs: v.optional(v.pipe(v.number(), v.minValue(0)), waitMaxMs),
  }),
  v.transform((which) => ({ ...which, timeoutMs: Math.min(which.timeoutMs, waitMaxMs) })),
)

const limitRule = v.strictObject({
  direction,
  bytesPerSecond: v.optional(positive),
  hours: v.optional(v.strictObject({ fromMinute: minute, toMinute: minute })),
  entry: v.optional(v.strictObject({ group: text, name: text })),
})

const listingOptions = v.strictObject({
  details: flag,
  after: v.optional(text),
  atMost: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
})

const downloadOptions = v.strictObject({
  overwrite: v.boolean(),
  adopt: flag,
  from: v.optional(v.pipe(text, v.check(isAbsolute, 'not a path from the root'))),
})

type Given = {
  readonly [O in PageOperation]: v.GenericSchema<
    unknown,
    Required<Parameters<Operations[O]>> | Parameters<Operations[O]>
  >
}

const givenTo: Given = {
  createUser: v.strictTuple([text, text, v.optional(text)]),
  login: v.strictTuple([text, text, flag]),
  logout: nothing,
  changePassword: named,
  resetPassword: v.strictTuple([text, text, text]),
  deleteAccount: v.strictTuple([text]),
  createGroup: v.strictTuple([text, flag]),
  listGroups: nothing,
  joinGroup: v.strictTuple([text]),
  listRequests: v.strictTuple([text]),
  acceptRequest: named,
  rejectRequest: named,
  leaveGroup: v.strictTuple([text]),
  listMembers: v.strictTuple([text]),
  removeMember: named,
  uploadFile: v.strictTuple([text, text, v.optional(v.strictObject({ skipSpecial: v.boolean() }))]),
  listFiles: v.strictTuple([text, v.optional(listingOptions)]),
  listFolder: named,
  listVersions: named,
  downloadFile: v.strictTuple([text, text, text, downloadOptions]),
  subscribe: v.strictTuple([text, text, text]),
  unsubscribe: named,
  listSubscriptions: nothing,
  showDownloads: nothing,
  showHashing: nothing,
  showUploads: nothing,
  inspect: named,
  pauseDownload: named,
  resumeDownload: named,
  cancelDownload: named,
  prioritize: v.strictTuple([text, text, v.optional(v.picklist(priorities))]),
  stopShare: named,
  setLimit: v.strictTuple([limitRule]),
  listLimits: nothing,
  downloadsSettled: v.strictTuple([v.optional(awaited, {})]),
  why: v.strictTuple([text, v.optional(text)]),
  doctor: nothing,
  showGuestPlace: nothing,
  shareLink: v.strictTuple([
    text,
    text,
    v.optional(
      v.strictObject({ forMs: v.optional(v.pipe(v.number(), v.minValue(1))), times: v.optional(positive) }),
    ),
  ]),
  listLinks: nothing,
  revokeLink: v.strictTuple([positive]),
}

export function isPageOperation(name: string): name is PageOperation {
  return Object.hasOwn(givenTo, name)
}

const Body = v.strictObject({ given: v.array(v.unknown()) })

/** The arguments in the body of a request; refuses what the operation does not take. */
export function givenIn(operation: PageOperation, body: string): Answer<readonly unknown[]> {
  const parsed = v.safeParse(Body, jsonOf(body))
  if (!parsed.success) return refuse('usage', `${operation} was asked for without {"given": […]} as JSON`)
  return checkedFor(operation, parsed.output.given)
}

/** An operation and its arguments. */
export type Call = readonly [operation: PageOperation, given: readonly unknown[]]

const Several = v.strictObject({
  asked: v.pipe(
    v.array(v.strictTuple([v.pipe(v.string(), v.check(isPageOperation)), v.array(v.unknown())])),
    v.minLength(1),
    v.maxLength(pageLimits.operationsTogether),
  ),
})

/** The operations that one request asks for; refused whole where one of them takes no such arguments. */
export function severalIn(body: string): Answer<readonly Call[]> {
  const parsed = v.safeParse(Several, jsonOf(body))
  if (!parsed.success)
    return refuse(
      'usage',
      `several operations were asked for without {"asked": [[name, […]], …]} of 1 to ${pageLimits.operationsTogether} as JSON`,
    )
  const calls: Call[] = []
  for (const [name, given] of parsed.output.asked) {
    const operation = name as PageOperation
    const checked = checkedFor(operation, given)
    if (!checked.ok) return checked
    calls.push([operation, checked.value])
  }
  return accept(calls)
}

function checkedFor(operation: PageOperation, given: readonly unknown[]): Answer<readonly unknown[]> {
  const schema = givenTo[operation]
  const checked = v.safeParse(schema, padded(given, wordsOf(schema)))
  if (!checked.success) {
    const [issue] = checked.issues
    return refuse(
      'usage',
      `${operation} does not take these arguments: ${v.getDotPath(issue) ?? 'given'}: ${issue.message}`,
    )
  }
  return accept(checked.output)
}

/** Undefined for what is no JSON. */
function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** Arguments that are left out, or null, are undefined. */
function padded(given: readonly unknown[], count: number): unknown[] {
  return Array.from({ length: Math.max(count, given.length) }, (_, index) => given[index] ?? undefined)
}

function wordsOf(schema: v.GenericSchema): number {
  return 'items' in schema && Array.isArray(schema.items) ? schema.items.length : 0
}
