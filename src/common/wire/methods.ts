// How a protocol is written down: one table of what may be asked and told. Client, server,
// validation, and the check of PROTOCOL.md all read the same table.

import type * as v from 'valibot'

/** Any schema that says yes or no at once. */
// eslint-disable-next-line typescript/no-explicit-any
export type Schema = v.GenericSchema<any, any>

/** What a connection must have done before a request is served. */
export type Needs = 'nothing' | 'hello' | 'login'

export interface RequestSpec {
  readonly params: Schema
  readonly result: Schema
  readonly needs: Needs
  /** Changes hard state. Its params carry a command id, so that a retry changes nothing twice. */
  readonly mutates?: true
  /** The result is followed by raw bytes, at most so many. */
  readonly bodyBytesMax?: number
}

/** A protocol between a caller, the connecting side, and a responder. */
export interface Protocol {
  readonly requests: Readonly<Record<string, RequestSpec>>
  /** What the responder tells the caller unasked: the params of each notification. */
  readonly toCaller: Readonly<Record<string, Schema>>
  /** What the caller tells the responder without waiting for an answer. */
  readonly toResponder: Readonly<Record<string, Schema>>
}

export type Method<P extends Protocol> = keyof P['requests'] & string
export type Params<P extends Protocol, M extends Method<P>> = v.InferOutput<P['requests'][M]['params']>
export type Result<P extends Protocol, M extends Method<P>> = v.InferOutput<P['requests'][M]['result']>

export type Told<P extends Protocol, Side extends 'toCaller' | 'toResponder'> = keyof P[Side] & string
export type ToldParams<
  P extends Protocol,
  Side extends 'toCaller' | 'toResponder',
  M extends Told<P, Side>,
> = P[Side][M] extends Schema ? v.InferOutput<P[Side][M]> : never
