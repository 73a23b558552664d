// What the page server refuses because of who asks or how, which a page of ours never does: a status, a code for scripts
// and a sentence for people. What an operation refuses is no such thing: it is an answer.

/** Why, for scripts. */
export type WebRefusalCode =
  | 'wrong-host'
  | 'other-page'
  | 'no-cookie'
  | 'no-key'
  | 'link-used'
  | 'bad-request'
  | 'no-such-thing'
  | 'wrong-method'
  | 'too-long'
  | 'too-slow'
  | 'too-many'
  | 'no-such-range'

const statuses: Readonly<Record<WebRefusalCode, number>> = {
  'wrong-host': 403,
  'other-page': 403,
  'no-cookie': 401,
  'no-key': 403,
  'link-used': 403,
  'bad-request': 400,
  'no-such-thing': 404,
  'wrong-method': 405,
  'too-long': 413,
  'too-slow': 408,
  'too-many': 429,
  'no-such-range': 416,
}

export interface WebRefusal {
  readonly code: WebRefusalCode
  /** What was refused, and what allows it. */
  readonly sentence: string
}

export function webRefusal(code: WebRefusalCode, sentence: string): WebRefusal {
  return { code, sentence }
}

/** For a script JSON, for a person plain text: parts of the sentence may come from anybody, so it is never HTML. */
export function refusalResponse({ code, sentence }: WebRefusal, isForScript: boolean): Response {
  const status = statuses[code]
  // The connection of somebody who is refused is not kept.
  const headers = { connection: 'close', 'cache-control': 'no-store' }
  if (isForScript) return Response.json({ ok: false, code, sentence }, { status, headers })
  return new Response(`${sentence}\n`, {
    status,
    headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' },
  })
}
