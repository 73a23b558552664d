// What a command or question comes to: done, or a reason with its arguments. Sentences are made where they are
// shown, so that wording one anew changes no state.

/** In an order that never changes, and new ones at the end: the state remembers them by their place. */
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
  /** Of a snapshot of before, which kept sentences: its arguments are code and sentence. */
  'as-was-said',
  /** A repeated command that was refused the first time; its argument is that reason. */
  'was-refused',
] as const
export type Reason = (typeof reasons)[number]

export interface No {
  readonly ok: false
  readonly reason: Reason
  readonly args: readonly (string | number)[]
}

export type Found<T> = { readonly ok: true; readonly value: T } | No
export type Outcome = Found<object>

/** What a rule says to a command before anything has changed: a reason against it, done already, or how to do it. */
export type Decision = Outcome | (() => void)

export const done: Outcome = { ok: true, value: {} }

export function no(reason: Reason, ...args: (string | number)[]): No {
  return { ok: false, reason, args }
}

export function found<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}
