// Signed statements of trackers: fields that one of them vouches for.
//
//   base64url(JSON of the fields, with the key that signed) "." signature

import { timingSafeEqual } from 'node:crypto'
import * as v from 'valibot'
import type { PublicKey } from '../protocol/fields.ts'
import { verifySignature, type Identity } from './identity.ts'

type StatementSchema = v.GenericSchema<unknown, { readonly tracker: v.InferOutput<typeof PublicKey> }>

/** `context`: what kind of statement it is; none passes for one of another kind. */
export function signStatement(context: string, tracker: Identity, fields: object): string {
  const payload = Buffer.from(JSON.stringify({ ...fields, tracker: tracker.publicKey })).toString('base64url')
  return `${payload}.${tracker.sign(context, payload)}`
}

/** The fields, or what is wrong with the text. `own`: the tracker that reads it, if it is one. */
export function readStatement<S extends StatementSchema>(
  context: string,
  schema: S,
  text: string,
  trustedTrackers: { has(key: string): boolean },
  own?: Identity,
): v.InferOutput<S> | 'unreadable' | 'untrusted' {
  const [payload, signature, ...rest] = text.split('.')
  const fields = payload === undefined || rest.length > 0 ? undefined : parsePayload(schema, payload)
  if (payload === undefined || signature === undefined || fields === undefined) return 'unreadable'
  const isGood =
    trustedTrackers.has(fields.tracker) &&
    (fields.tracker === own?.publicKey
      ? isOwn(signature, own.sign(context, payload))
      : verifySignature(fields.tracker, signature, context, payload))
  return isGood ? fields : 'untrusted'
}

/** The fields of a statement that nobody has to vouch for. */
export function fieldsOf<S extends StatementSchema>(schema: S, text: string): v.InferOutput<S> | undefined {
  return parsePayload(schema, text.split('.')[0] ?? '')
}

/** Of Ed25519, each key makes one signature of a text; to make it again takes less than half as long as to verify it. */
function isOwn(signature: string, again: string): boolean {
  const [a, b] = [Buffer.from(signature), Buffer.from(again)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function parsePayload<S extends StatementSchema>(schema: S, payload: string): v.InferOutput<S> | undefined {
  try {
    const parsed = v.safeParse(schema, JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}
