// Checks the shape of a command that was read from a log, since whoever can write to the log can write anything, and
// clients reject a page of a listing with a single name, size or id that the protocol does not know. By hand and not by
// schema, because a start reads a million of them. Whatever an earlier version took must pass for ever.

import { pieceBytes, pieceCountMax, treeFilesMax } from '../../common/limits.ts'
import { couldBeFileName, isPlainName } from '../../common/names.ts'
import { quotaMax, isQuotaName } from './quotas.ts'
import type { Command } from './commands.ts'
import { isRegistrationMode } from './registration-modes.ts'

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isCount: Check = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isSize: Check = (value) => isCount(value) && (value as number) <= pieceCountMax * pieceBytes
const isFileCount: Check = (value) => isCount(value) && (value as number) <= treeFilesMax
const isName: Check = (value) => typeof value === 'string' && isPlainName(value)
const isFileName: Check = (value) => typeof value === 'string' && couldBeFileName(value)
const isFileId: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)

const isCredentials: Check = (value) =>
  hasShape(value, { salt: isText, iterations: isCount, storedKey: isText, serverKey: isText })
const identified = { id: isText, by: isName, account: maybe(isCount), epoch: maybe(isCount) }
const asked = { ...identified, group: isName }
const isHash: Check = (value) => typeof value === 'string' && /^[A-Za-z0-9_-]{43}$/.test(value)

/** Typed as a record so that a kind which is missing here does not compile. */
const shapes: Readonly<Record<Command['kind'], Readonly<Record<string, Check>>>> = {
  tracker_started: {
    key: isText,
    cluster: isText,
    secret: isText,
    level: maybe(isCount),
    number: maybe(isCount),
  },
  raise_level: { level: isCount },
  revoke_tracker: { key: isText },
  set_quota: {
    quota: (value) => typeof value === 'string' && isQuotaName(value),
    value: (value) => isCount(value) && (value as number) <= quotaMax,
  },
  register: { id: isText, user: isName, credentials: isCredentials, invite: maybe(isHash) },
  set_registration: { mode: isRegistrationMode },
  add_invite: { codeHash: isHash },
  create_group: { ...asked, hidden: maybe((value) => value === true) },
  join_group: asked,
  accept_request: { ...asked, user: isName },
  reject_request: { ...asked, user: isName },
  leave_group: asked,
  remove_member: { ...asked, user: isName },
  share_file: { ...asked, name: isFileName, fileId: isFileId, sizeBytes: isSize, files: maybe(isFileCount) },
  unshare_file: { ...asked, name: isFileName },
  change_password: { ...identified, credentials: isCredentials, key: maybe(isText) },
  delete_account: identified,
  reset_password: { id: isText, user: isName, codeHash: isHash, credentials: isCredentials },
  issue_reset: { user: isName, account: isCount, codeHash: isHash },
  remove_user: { user: isName, account: isCount },
}

/** `unknown` for a kind of a newer program, `malformed` for a known kind without the fields that it needs. */
export function checkCommand(value: unknown): 'command' | 'unknown' | 'malformed' {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return 'malformed'
  const { kind } = value
  if (typeof kind !== 'string') return 'malformed'
  if (!Object.hasOwn(shapes, kind)) return 'unknown'
  return hasShape(value, shapes[kind as Command['kind']]) ? 'command' : 'malformed'
}

function hasShape(value: unknown, shape: Readonly<Record<string, Check>>): boolean {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Record<string, unknown>
  for (const name in shape) if (shape[name]?.(fields[name]) !== true) return false
  return true
}
