// The rules of the hard state once more, written as plainly as possible and without a look at the real
// ones: lists of facts, and codes instead of sentences. What the state machine is held against.

import { newestLevel } from '../../../src/tracker/state/levels.ts'
import type { ModelWish } from './world.ts'

type AccountWish = Exclude<
  ModelWish,
  { kind: 'register' | 'set_registration' | 'add_invite' } | { group: string }
>

interface Share {
  group: string
  name: string
  fileId: string
  user: string
}

/** A content of a name, and who put it there. */
interface Content {
  by: string
  files: number | undefined
}

export class PlainModel {
  /** Of the rules: at level 1 owners are told who does not exist. */
  readonly level: number
  users: string[] = []
  groups: string[] = []
  /** Those of the groups that are hidden. */
  hidden = new Set<string>()
  /** In the order of joining. */
  memberships: { group: string; user: string }[] = []
  asks: { group: string; user: string }[] = []
  /** In the order of sharing. */
  shares: Share[] = []
  /** By group and name: its contents since it came, the oldest first. */
  versions = new Map<string, Content[]>()
  /** Passwords by user. */
  passwords = new Map<string, string>()
  /** Hashes of codes for new passwords, by user. */
  resets = new Map<string, string>()
  mode = 'open'
  /** Hashes of codes for registrations. */
  invites = new Set<string>()
  /** Accounts made so far: an account's number is how many there were with it. */
  #made = 0
  readonly #numbers = new Map<string, number>()

  constructor(level = newestLevel) {
    this.level = level
  }

  membersOf(group: string): string[] {
    return this.memberships.filter((m) => m.group === group).map((m) => m.user)
  }

  ownerOf(group: string): string | undefined {
    return this.membersOf(group)[0]
  }

  asksFor(group: string): string[] {
    return this.asks.filter((ask) => ask.group === group).map((ask) => ask.user)
  }

  sharesOf(group: string, name: string): Share[] {
    return this.shares.filter((share) => share.group === group && share.name === name)
  }

  /** "done", or the code of the refusal. */
  do(wish: ModelWish): string {
    if (wish.kind === 'register') {
      const invited = this.#admits(wish.invite)
      if (invited !== 'done') return invited
      if (this.users.includes(wish.user)) return 'user-taken'
      this.users.push(wish.user)
      if (this.level > 1) this.invites.delete(wish.invite ?? '')
      this.#numbers.set(wish.user, ++this.#made)
      this.passwords.set(wish.user, wish.credentials.storedKey)
      return 'done'
    }
    if (wish.kind === 'set_registration' || wish.kind === 'add_invite') {
      if (this.level < 2) return 'invalid-request'
      if (wish.kind === 'add_invite') this.invites.add(wish.codeHash)
      else this.mode = wish.mode
      return 'done'
    }
    if (!('group' in wish)) return this.#account(wish)
    const { by, group } = wish
    if (!this.users.includes(by)) return 'no-such-user'
    if (wish.kind === 'create_group') {
      if (this.groups.includes(group)) return 'group-taken'
      if (wish.hidden === true && this.level < 2) return 'invalid-request'
      this.groups.push(group)
      if (wish.hidden === true) this.hidden.add(group)
      this.memberships.push({ group, user: by })
      return 'done'
    }
    if (!this.groups.includes(group)) return 'no-such-group'
    const isMember = this.membersOf(group).includes(by)
    const isOwner = this.ownerOf(group) === by
    if (wish.kind === 'join_group') {
      if (isMember) return 'already-member'
      if (this.asksFor(group).includes(by)) return 'already-requested'
      this.asks.push({ group, user: by })
      return 'done'
    }
    if (wish.kind === 'accept_request' || wish.kind === 'reject_request') {
      if (!isOwner) return 'not-the-owner'
      if (this.level < 2 && !this.users.includes(wish.user)) return 'no-such-user'
      if (this.membersOf(group).includes(wish.user)) return 'already-member'
      if (!this.asksFor(group).includes(wish.user)) return 'no-such-request'
      this.asks = this.asks.filter((ask) => ask.group !== group || ask.user !== wish.user)
      if (wish.kind === 'accept_request') this.memberships.push({ group, user: wish.user })
      return 'done'
    }
    if (wish.kind === 'remove_member') {
      if (!isOwner) return 'not-the-owner'
      if (wish.user === by) return 'usage'
      if (this.level < 2 && !this.users.includes(wish.user)) return 'no-such-user'
      if (!this.membersOf(group).includes(wish.user)) return 'not-a-member'
      return this.#goes(group, wish.user)
    }
    if (!isMember) return 'not-a-member'
    return 'name' in wish ? this.#share(wish, by, group) : this.#goes(group, by)
  }

  #share(wish: Extract<ModelWish, { name: string }>, by: string, group: string): string {
    const { name } = wish
    const there = this.sharesOf(group, name)
    if (wish.kind === 'unshare_file') {
      if (there.length === 0) return 'no-such-file'
      if (!there.some((share) => share.user === by)) return 'not-shared'
      this.shares = this.shares.filter((s) => s.group !== group || s.name !== name || s.user !== by)
      return 'done'
    }
    const { fileId, files } = wish
    if (files !== undefined && this.level < 3) return 'invalid-request'
    const contents = there.length === 0 ? [] : (this.versions.get(`${group}/${name}`) ?? [])
    if (there.some((share) => share.fileId === fileId)) {
      if (contents.at(-1)?.files !== files) return 'name-taken'
      if (!there.some((share) => share.user === by)) this.shares.push({ group, name, fileId, user: by })
      return 'done'
    }
    if (there.length > 0 && there[0]?.user !== by) return 'name-taken'
    this.versions.set(`${group}/${name}`, [...contents, { by, files }])
    this.shares = this.shares.filter((share) => share.group !== group || share.name !== name)
    this.shares.push({ group, name, fileId, user: by })
    return 'done'
  }

  #admits(invite: string | undefined): string {
    if (this.level < 2 || this.mode === 'open') return 'done'
    if (this.mode === 'closed') return 'registration-closed'
    if (invite === undefined) return 'not-invited'
    return this.invites.has(invite) ? 'done' : 'wrong-code'
  }

  #account(wish: AccountWish): string {
    const user = 'by' in wish ? wish.by : wish.user
    const exists = this.users.includes(user)
    if ('by' in wish && !exists) return 'no-such-user'
    if (this.level < 2) return 'invalid-request'
    if ('account' in wish && this.#numbers.get(user) !== wish.account) return 'no-such-user'
    if (wish.kind === 'delete_account' || wish.kind === 'remove_user') return this.#ends(user)
    if (wish.kind === 'issue_reset') {
      this.resets.set(user, wish.codeHash)
      return 'done'
    }
    if (wish.kind === 'reset_password' && (!exists || this.resets.get(user) !== wish.codeHash))
      return 'wrong-code'
    this.passwords.set(user, wish.credentials.storedKey)
    this.resets.delete(user)
    return 'done'
  }

  #ends(user: string): string {
    for (const group of [...this.groups]) if (this.membersOf(group).includes(user)) this.#goes(group, user)
    this.asks = this.asks.filter((ask) => ask.user !== user)
    this.users = this.users.filter((each) => each !== user)
    for (const facts of [this.passwords, this.resets, this.#numbers]) facts.delete(user)
    return 'done'
  }

  #goes(group: string, user: string): string {
    this.memberships = this.memberships.filter((m) => m.group !== group || m.user !== user)
    this.shares = this.shares.filter((share) => share.group !== group || share.user !== user)
    if (this.membersOf(group).length > 0) return 'done'
    this.groups = this.groups.filter((name) => name !== group)
    this.hidden.delete(group)
    this.asks = this.asks.filter((ask) => ask.group !== group)
    return 'done'
  }
}
