// How a protocol is declared: one table of its requests and notifications, which caller, responder,
// validation and the check of PROTOCOL.md all read.

import type * as v from 'valibot'

/** Any synchronous schema. */
// eslint-disable-next-line typescript/no-explicit-any
export type Schema = v.GenericSchema<any, any>

/**
 * How far a connection has come: `connected`, then `greeted` (it said hello), then `proven`, when it has shown
 * who it is: to a tracker by a login, to another client by its key.
 */
export type Stage = 'connected' | 'greeted' | 'proven'

export interface RequestSpec {
  readonly params: Schema
  readonly result: Schema
  /** The stage a connection must have reached for this to be served. */
  readonly stage: Stage
  /** Changes hard state. Its params carry a command id, so that a retry takes effect once. */
  readonly mutates?: true
  /** Answered from hard state, which is brought up to date first. */
  readonly reads?: true
  /** Roughly how long the responder takes, in microseconds; turns are shared out by it. */
  readonly cost?: number
  /** The result has a body, of at most this many bytes. */
  readonly bodyBytesMax?: number
}

/** A protocol between a caller (the connecting side) and a responder. */
export interface Protocol {
  readonly requests: Readonly<Record<string, RequestSpec>>
  /** Notifications from the responder to the caller: the params of each. */
  readonly toCaller: Readonly<Record<string, Schema>>
  /** Notifications from the caller to the responder. */
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
