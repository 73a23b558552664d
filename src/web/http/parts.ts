// Which part of a file an answer has, and what its headers say of it (RFC 9110, RFC 6266).

import type { IncomingHttpHeaders } from 'node:http'
import { rangeIn, type ByteRange } from './byte-range.ts'
import { foreignPolicy } from './security-headers.ts'

/** Bytes that come from others, under a name. */
export interface NamedBytes {
  readonly name: string
  readonly sizeBytes: number
  /** The same for the same bytes, and for no others. */
  readonly tag: string
  /** As what a browser may show them; undefined for what is only saved. */
  readonly shownType?: string | undefined
}

export interface Part extends ByteRange {
  readonly isWhole: boolean
}

/** The part that is asked for; undefined for one beyond the end. */
export function partAsked(
  { sizeBytes, tag }: NamedBytes,
  { range, 'if-range': ifRange }: IncomingHttpHeaders,
): Part | undefined {
  // A part of other bytes is of no use.
  const asked = ifRange === undefined || ifRange === entityTag(tag) ? rangeIn(range, sizeBytes) : undefined
  if (asked === 'none') return undefined
  return asked === undefined ? { from: 0, to: sizeBytes, isWhole: true } : { ...asked, isWhole: false }
}

/** Whether whoever asks has these bytes already. */
export function hasAlready({ tag }: NamedBytes, headers: IncomingHttpHeaders): boolean {
  const known = headers['if-none-match']?.split(',').map((each) => each.trim().replace(/^W\//, ''))
  return known?.includes(entityTag(tag)) ?? false
}

export function statusOf({ isWhole }: Part): 200 | 206 {
  return isWhole ? 200 : 206
}

export function headersOf(bytes: NamedBytes, { from, to, isWhole }: Part): Record<string, string> {
  const { name, sizeBytes, tag, shownType } = bytes
  return {
    'content-type': shownType ?? 'application/octet-stream',
    'content-length': String(to - from),
    'content-disposition': `${shownType === undefined ? 'attachment' : 'inline'}; ${fileName(name)}`,
    'content-security-policy': foreignPolicy,
    'cache-control': 'no-store',
    'accept-ranges': 'bytes',
    etag: entityTag(tag),
    ...(isWhole ? {} : { 'content-range': `bytes ${from}-${to - 1}/${sizeBytes}` }),
  }
}

export function entityTag(tag: string): string {
  return `"${tag}"`
}

/** Twice: in letters that every program reads, and as RFC 8187 has it. */
function fileName(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9 ._()+,=@-]/gu, '_')
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `filename="${plain}"; filename*=UTF-8''${encoded}`
}
