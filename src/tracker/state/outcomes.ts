// The outcome of a command or question: done, or a reason with its arguments. Sentences are made where they are
// shown, so that rewording one changes no state.

/** The order never changes, and new ones go to the end: the state remembers reasons by their place. */
export const reasons = [
  'user-taken',
  'no-such-user',
  'group-taken',
  'no-such-group',
  /** The asker is a member of the group. */
  'you-are-member',
  'is-member',
  'already-requested',
  'no-such-request',
  /** The asker is no member of the group. */
  'you-are-no-member',
  'is-no-member',
  'not-the-owner',
  'you-own-it',
  'no-such-file',
  'not-shared',
  'name-taken',
  'other-size',
  'over-quota',
  'no-such-tracker',
  'last-tracker',
  /** The log cannot be written. */
  'cannot-save',
  'too-busy',
  /** From a snapshot of level 1, which kept sentences; its arguments are code and sentence. */
  'as-was-said',
  /** A repeated command that was refused the first time; its argument is that reason. */
  'was-refused',
  /** A command that comes so late that it may have been done and forgotten. */
  'too-late',
  /** The account or the login that it was asked for with is no more. */
  'login-ended',
  /** A tracker of the community cannot follow this yet. */
  'not-yet',
  /** A code for a new password, or for a registration. */
  'wrong-code',
  /** Only invited people may register, or nobody. */
  'not-invited',
  'registration-closed',
  'too-many-invites',
] as const
export type Reason = (typeof reasons)[number]

export interface No {
  readonly ok: false
  readonly reason: Reason
  readonly args: readonly (string | number)[]
}

export type Found<T> = { readonly ok: true; readonly value: T } | No
export type Outcome = Found<object>

/** What a rule decides before anything has changed: a reason against the command, already done, or how to do it. */
export type Decision = Outcome | (() => void)

export const done: Outcome = { ok: true, value: {} }

export function no(reason: Reason, ...args: (string | number)[]): No {
  return { ok: false, reason, args }
}

export function found<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}
