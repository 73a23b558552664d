// Refusals: the expected "no", a value with a code and a sentence that is returned, never thrown. The table
// maps the codes that the programs use to the numbers on the wire (JSON-RPC error codes).

const numbers = {
  'parse-error': -32700,
  'invalid-request': -32600,
  'unknown-method': -32601,
  'invalid-params': -32602,
  'hello-first': 1,
  'protocol-version': 2,
  'login-first': 3,
  'already-logged-in': 4,
  'login-failed': 5,
  'too-many-attempts': 6,
  'user-taken': 7,
  'no-such-user': 8,
  'no-such-group': 9,
  'group-taken': 10,
  'already-member': 11,
  'already-requested': 12,
  'no-such-request': 13,
  'not-a-member': 14,
  'not-the-owner': 15,
  'no-such-file': 16,
  'name-taken': 17,
  'not-shared': 18,
  'bad-name': 19,
  busy: 20,
  unavailable: 21,
  'ticket-invalid': 22,
  'ticket-lapsed': 23,
  'proof-failed': 24,
  'piece-missing': 25,
  'file-changed': 26,
  cancelled: 27,
  usage: 28,
  'local-file': 29,
  'no-such-download': 30,
  'over-quota': 31,
  'wrong-code': 32,
  'not-invited': 33,
  'registration-closed': 34,
  'login-ended': 35,
  'timed-out': 36,
} as const

/** The kind of refusal, for programs; the sentence beside it is for people. */
export type RefusalCode = keyof typeof numbers

export interface Refusal {
  readonly code: RefusalCode
  /** One sentence for a person, without "error:" in front or a full stop at the end. */
  readonly sentence: string
}

/** The outcome of a request or command: a value or a refusal. */
export type Answer<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal }

export function accept<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

export function refuse(
  code: RefusalCode,
  sentence: string,
): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { code, sentence } }
}

export function refusalNumber(code: RefusalCode): number {
  return numbers[code]
}

const codes: ReadonlyMap<number, RefusalCode> = new Map(
  Object.entries(numbers).map(([code, number]) => [number, code as RefusalCode]),
)

/** The code of a number from the wire; an unknown one, from a newer program, counts as `unavailable`. */
export function refusalCode(number: number): RefusalCode {
  return codes.get(number) ?? 'unavailable'
}

export function isRefusalCode(text: string): text is RefusalCode {
  return Object.hasOwn(numbers, text)
}
