// The shapes of JSON-RPC 2.0 that both protocols use: request, notification, result, error.

import { refusalCode, refusalNumber, type Refusal } from '../refusal.ts'

export type Message =
  | { readonly kind: 'request'; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly kind: 'notification'; readonly method: string; readonly params: unknown }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number | null; readonly refusal: Refusal }
  | { readonly kind: 'invalid' }

/** Classifies a parsed line. Ids are counted by the caller: whole numbers from 0. */
export function classify(message: unknown): Message {
  if (typeof message !== 'object' || message === null) return { kind: 'invalid' }
  const fields = message as Record<string, unknown>
  const { id, method, params } = fields
  if (fields['jsonrpc'] !== '2.0') return { kind: 'invalid' }
  if (typeof method === 'string') {
    if (id === undefined) return { kind: 'notification', method, params }
    return isId(id) ? { kind: 'request', id, method, params } : { kind: 'invalid' }
  }
  if ('error' in fields) return classifyError(id, fields['error'])
  return 'result' in fields && isId(id)
    ? { kind: 'result', id, result: fields['result'] }
    : { kind: 'invalid' }
}

function classifyError(id: unknown, error: unknown): Message {
  if ((id !== null && !isId(id)) || typeof error !== 'object' || error === null) return { kind: 'invalid' }
  const { code, message } = error as Record<string, unknown>
  if (typeof code !== 'number' || typeof message !== 'string') return { kind: 'invalid' }
  return { kind: 'error', id, refusal: { code: refusalCode(code), sentence: message } }
}

function isId(id: unknown): id is number {
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0
}

export function requestMessage(id: number, method: string, params: unknown): object {
  return { jsonrpc: '2.0', id, method, params }
}

export function notificationMessage(method: string, params: unknown): object {
  return { jsonrpc: '2.0', method, params }
}

/** A result that is JSON already, so that what many are told is encoded once. `R`: of what type. */
export class EncodedResult<R> {
  declare readonly result: R
  readonly json: string

  constructor(json: string) {
    this.json = json
  }
}

/** The line of a result. */
export function resultLine(id: number, result: unknown): string {
  const json = result instanceof EncodedResult ? result.json : JSON.stringify(result)
  return `{"jsonrpc":"2.0","id":${id},"result":${json}}\n`
}

/** A result followed by `bytes` raw bytes. */
export function bulkResultMessage(id: number, result: unknown, bytes: number): object {
  return { jsonrpc: '2.0', id, result, bytes }
}

/** A refusal; `id` is null when the id of the request could not be read. */
export function errorMessage(id: number | null, refusal: Refusal): object {
  return { jsonrpc: '2.0', id, error: { code: refusalNumber(refusal.code), message: refusal.sentence } }
}
