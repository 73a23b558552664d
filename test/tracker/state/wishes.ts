// Random commands over a small world, so that they meet: few users, groups, files and versions.

import fc from 'fast-check'
import { credentials, type ModelWish, type UserWish } from './world.ts'

/** Names that plain objects would stumble over are among them. */
const user = fc.constantFrom('ann', 'bob', 'cid', 'constructor')
const group = fc.constantFrom('g', 'h', 'toString')
const name = fc.constantFrom('f', 'e')
const fileId = fc.constantFrom('1'.repeat(64), '2'.repeat(64))
const kind = <K extends string>(name: K) => fc.constant(name)

/** Everybody but one may be registered by chance; accepted and removed people may not exist. */
const someone = fc.oneof({ weight: 9, arbitrary: user }, { weight: 1, arbitrary: fc.constant('nobody') })

const otherCredentials = fc.constantFrom(credentials, { ...credentials, storedKey: 'other' })
const codeHash = fc.constantFrom('a'.repeat(43), 'b'.repeat(43))
/** The first four are those of the beginnings; later ones belong to whoever comes again. */
const account = fc.integer({ min: 1, max: 6 })

/** Rare: whoever goes takes much of the world along. */
const anyAccountWish: fc.Arbitrary<ModelWish> = fc.oneof(
  fc.record({ kind: kind('set_registration'), mode: fc.constantFrom('open', 'invited', 'open', 'closed') }),
  fc.record({ kind: kind('add_invite'), codeHash }),
  fc.record({ kind: kind('register'), user, credentials: fc.constant(credentials), invite: codeHash }),
  fc.record({ kind: kind('change_password'), by: user, credentials: otherCredentials }),
  fc.record({ kind: kind('delete_account'), by: user }),
  fc.record({ kind: kind('remove_user'), user, account }),
  fc.record({ kind: kind('issue_reset'), user, account, codeHash }),
  fc.record({ kind: kind('issue_reset'), user, account, codeHash }),
  fc.record({ kind: kind('reset_password'), user, codeHash, credentials: otherCredentials }),
  fc.record({ kind: kind('reset_password'), user, codeHash, credentials: otherCredentials }),
)

const anyGroupWish: fc.Arbitrary<UserWish> = fc.oneof(
  fc.record({ kind: kind('register'), user, credentials: fc.constant(credentials) }),
  fc.record({ kind: kind('create_group'), by: user, group }),
  fc.record({ kind: kind('create_group'), by: user, group, hidden: fc.constant(true as const) }),
  fc.record({ kind: kind('join_group'), by: user, group }),
  fc.record({ kind: kind('accept_request'), by: user, group, user: someone }),
  fc.record({ kind: kind('accept_request'), by: user, group, user: someone }),
  fc.record({ kind: kind('reject_request'), by: user, group, user: someone }),
  fc.record({ kind: kind('leave_group'), by: user, group }),
  fc.record({ kind: kind('remove_member'), by: user, group, user: someone }),
  fc.record({ kind: kind('share_file'), by: user, group, name, fileId, sizeBytes: fc.constant(10) }),
  fc.record({ kind: kind('share_file'), by: user, group, name, fileId, sizeBytes: fc.constant(10) }),
  fc.record({
    kind: kind('share_file'),
    by: user,
    group,
    name,
    fileId,
    sizeBytes: fc.constant(10),
    files: fc.constant(3),
  }),
  fc.record({ kind: kind('unshare_file'), by: user, group, name }),
)

export const anyWish: fc.Arbitrary<ModelWish> = fc.oneof(
  { weight: 9, arbitrary: anyGroupWish },
  { weight: 1, arbitrary: anyAccountWish },
)

/** Most of the world exists already, so that what follows is about something. */
export const beginnings: readonly UserWish[] = [
  ...['ann', 'bob', 'cid', 'constructor'].map((user): UserWish => ({ kind: 'register', user, credentials })),
  { kind: 'create_group', by: 'ann', group: 'g' },
  ...['bob', 'cid', 'constructor'].flatMap((user): UserWish[] => [
    { kind: 'join_group', by: user, group: 'g' },
    { kind: 'accept_request', by: 'ann', group: 'g', user },
  ]),
]

export const anyStory = fc
  .tuple(fc.boolean(), fc.array(anyWish, { minLength: 1, maxLength: 120, size: 'max' }))
  .map(([begun, wishes]) => (begun ? [...beginnings, ...wishes] : wishes))
