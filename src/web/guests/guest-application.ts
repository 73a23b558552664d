// What a guest can ask for, and who answers. There is nothing but what a link leads to: the page at the link, and files
// below it. All else is not found, in the same words.

import { Hono, type Context } from 'hono'
import type { IncomingMessage } from 'node:http'
import type { GuestContent, GuestEntry, GuestLinks } from '../../client/guest-links.ts'
import type { Refusal, RefusalCode } from '../../common/refusal.ts'
import { entityTag, hasAlready, headersOf, partAsked, statusOf } from '../http/parts.ts'
import { guestPage, guestPagePolicy } from './guest-page.ts'
import { guestLimits } from './limits.ts'

export interface GuestBindings {
  readonly incoming: IncomingMessage
  /** The network that asks. */
  readonly guest: string
  /** Aborts when nobody waits for the answer. */
  readonly gone: AbortSignal
  /** Takes a place for a transfer, and gives it back when that is over; false when there is none. */
  readonly beginTransfer: () => boolean
}
type Environment = { Bindings: GuestBindings }
export type GuestApplication = Hono<Environment>
type Asked = Context<Environment>

export function guestApplicationOf(links: GuestLinks): GuestApplication {
  const app: GuestApplication = new Hono()
  app.use(async ({ env: { incoming } }, next) => {
    const { method, headers } = incoming
    if (method !== 'GET' && method !== 'HEAD')
      return said(405, 'only GET and HEAD are answered', { allow: 'GET, HEAD' })
    // Nothing that is asked for here has a body; what stands behind a request is not to be taken for the next one.
    const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
    return hasBody ? said(400, 'a request with a body was refused') : next()
  })
  app.get('/:secret', (asked) => withEntry(asked, links, (entry, secret) => page(entry, secret)))
  app.get('/:secret/:path{.+}', (asked) =>
    withEntry(asked, links, (entry) => fileAt(asked, entry, asked.req.param('path') ?? '')),
  )
  app.notFound(() => nothing())
  app.onError((error) => {
    throw error
  })
  return app
}

async function withEntry(
  asked: Asked,
  links: GuestLinks,
  answer: (entry: GuestEntry, secret: string) => Promise<Response>,
): Promise<Response> {
  const secret = asked.req.param('secret') ?? ''
  const found = links.find(secret, asked.env.guest)
  if (found === undefined) return nothing()
  return 'ended' in found ? said(410, found.ended) : answer(found.entry, secret)
}

async function page(entry: GuestEntry, secret: string): Promise<Response> {
  const listed = entry.files === undefined ? undefined : await entry.list(guestLimits.listedFiles)
  if (listed?.ok === false) return refused(listed.refusal)
  const text = String(await guestPage({ secret, entry, files: listed?.value ?? [] }))
  return new Response(text, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-length': String(Buffer.byteLength(text)),
      'cache-control': 'no-store',
      'content-security-policy': guestPagePolicy,
    },
  })
}

/** The file `<name>`, all of a folder `<name>.tar`, or a file of it, `<name>/<path>`. */
async function fileAt({ env }: Asked, entry: GuestEntry, path: string): Promise<Response> {
  const { name, files } = entry
  const isAll = path === (files === undefined ? name : `${name}.tar`)
  const isWithin = files !== undefined && path.startsWith(`${name}/`)
  if (!isAll && !isWithin) return nothing()
  const opened = await entry.open(isAll ? undefined : path.slice(name.length + 1))
  return opened.ok ? respond(env, opened.value) : refused(opened.refusal)
}

async function respond(
  { incoming, guest, gone, beginTransfer }: GuestBindings,
  content: GuestContent,
): Promise<Response> {
  const { headers, method } = incoming
  if (hasAlready(content, headers))
    return new Response(undefined, { status: 304, headers: { etag: entityTag(content.tag) } })
  if (method === 'HEAD')
    return new Response(undefined, {
      headers: headersOf(content, { from: 0, to: content.sizeBytes, isWhole: true }),
    })
  const part = partAsked(content, headers)
  if (part === undefined)
    return said(416, 'this part is beyond the end', { 'content-range': `bytes */${content.sizeBytes}` })
  if (!beginTransfer()) return said(503, 'much is being fetched at the moment; try again soon', later)
  const sent = await content.send(part, guest, gone)
  if (!sent.ok) return refused(sent.refusal)
  return new Response(sent.value, { status: statusOf(part), headers: headersOf(content, part) })
}

const later = { 'retry-after': '30' }

/** For whoever knows a link: others are told nothing. */
function refused({ code, sentence }: Refusal): Response {
  const status = statuses[code] ?? 503
  return status === 404 ? nothing() : said(status, sentence, status === 503 ? later : {})
}

const statuses: { readonly [C in RefusalCode]?: number } = {
  'not-shared': 410,
  'file-changed': 410,
  'no-such-file': 404,
}

export function nothing(): Response {
  return said(404, 'there is nothing here')
}

/** The connection of somebody who is refused is not kept. */
export function said(
  status: number,
  sentence: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const text = `${sentence}\n`
  return new Response(text, {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(Buffer.byteLength(text)),
      'cache-control': 'no-store',
      connection: 'close',
      ...headers,
    },
  })
}
