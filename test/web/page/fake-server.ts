// Serves the page as the client does, with a fake client behind it: the same addresses, cookie, header and policy, so
// that what the browser forbids there is forbidden here.

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { remoteNames } from '../../../src/client/control/protocol.ts'
import type { ClientEvent } from '../../../src/client/operations.ts'
import type { Answer } from '../../../src/common/refusal.ts'
import { clientProgram } from '../../../src/common/version.ts'
import type { FakeWorld } from './fake-world.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const token = 'one-time-token'
const cookie = 'coterie=let-in'
const key = 'key-of-the-page'
const fileKey = 'key-of-files'
const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

export interface FakeServer {
  /** Without a token. */
  readonly address: string
  /** As the client prints it; good once. */
  readonly link: string
  /** Files that were dropped, and where they were to be copied to. */
  readonly dropped: {
    readonly name: string
    readonly group: string
    readonly folder: string
    readonly bytes: number
  }[]
  /** How many streams of events are read, and how many were in all. */
  readonly streams: { readonly now: number; readonly inAll: number }
  /** Files that are awaited: those with the ending mkv, of which nothing comes. */
  readonly arriving: ReadonlySet<unknown>
  /** Lets dropped files wait for their answer. */
  holdDrops(until: Promise<void>): void
  close(): Promise<void>
}

/** Builds the page as it is shipped, into a folder of its own. */
export async function builtPage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-page-'))
  await promisify(execFile)(process.execPath, [join(root, 'scripts', 'page.mjs'), folder])
  return folder
}

/** `port`: where one was before; by default any free one. */
export async function serve(folder: string, world: FakeWorld, port = 0): Promise<FakeServer> {
  const streams = new Set<ServerResponse>()
  const dropped: FakeServer['dropped'] = []
  const arriving = new Set<ServerResponse>()
  let streamsInAll = 0
  let held: Promise<void> | undefined
  let isUsed = false
  world.subscribe((event) => streams.forEach((stream) => tell(stream, 'event', event)))
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return {
    address,
    link: `${address}open?token=${token}`,
    dropped,
    arriving,
    get streams() {
      return { now: streams.size, inAll: streamsInAll }
    },
    holdDrops: (until) => {
      held = until
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', address)
    response.setHeader('Content-Security-Policy', policy)
    response.setHeader('X-Content-Type-Options', 'nosniff')
    if (pathname === '/open') return open(searchParams.get('token'), response)
    if (!pathname.startsWith('/api/'))
      return file(pathname === '/' ? 'index.html' : pathname.slice(1), response)
    if (request.headers.cookie !== cookie)
      return json(response, no('login-first', 'this browser was not let in'), 401)
    if (pathname.startsWith('/api/files/') && searchParams.get('key') === fileKey)
      return pathname.endsWith('.mkv') ? unending(response) : content(request, response)
    if (request.headers['x-coterie'] !== key) return json(response, no('no-key', 'this page has no key'), 403)
    if (pathname === '/api/events') return stream(response)
    const body = await bodyOf(request)
    if (pathname === '/api/drop') {
      const wordOf = (name: string): string => searchParams.get(name) ?? ''
      dropped.push({
        name: wordOf('name'),
        group: wordOf('group'),
        folder: wordOf('folder'),
        bytes: body.length,
      })
      await held
      return json(response, { ok: true })
    }
    if (pathname === '/api/several') {
      const { asked } = JSON.parse(String(body)) as { asked: [string, unknown[]][] }
      const value = await Promise.all(asked.map(([name, given]) => carryOut(name, given)))
      return json(response, { ok: true, value })
    }
    const { given } = JSON.parse(String(body)) as { given: unknown[] }
    json(response, await carryOut(pathname.slice('/api/'.length), given))
  }

  async function carryOut(name: string, given: readonly unknown[]): Promise<object> {
    const operation = remoteNames.find((one) => one === name)
    if (operation === undefined) return no('unknown-method', 'there is no such operation')
    const ask = world.operations[operation] as (...given: readonly unknown[]) => Promise<unknown>
    return onWire(await ask(...given))
  }

  /** A file of which nothing comes, as of a download that waits. */
  function unending(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'video/webm', 'Content-Length': 1_000_000 }).flushHeaders()
    arriving.add(response)
    response.on('close', () => arriving.delete(response))
  }

  function open(given: string | null, response: ServerResponse): void {
    if (isUsed || given !== token)
      return json(response, no('login-first', 'this link was opened before'), 403)
    isUsed = true
    const headers = {
      'Content-Type': types['html'],
      'Set-Cookie': `${cookie}; HttpOnly; SameSite=Strict; Path=/`,
    }
    const start = readFileSync(join(folder, 'index.html'), 'utf8')
    response
      .writeHead(200, headers)
      .end(start.replace('<head>', `<head><meta name="key" content="${key}" />`))
  }

  function stream(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    tell(response, 'hello', { user: world.operations.whoami(), program: clientProgram, fileKey })
    streams.add(response)
    streamsInAll++
    response.on('close', () => streams.delete(response))
  }

  function file(name: string, response: ServerResponse): void {
    const type = types[name.split('.').at(-1) ?? '']
    if (type === undefined || name.includes('/')) return void response.writeHead(404).end()
    response.writeHead(200, { 'Content-Type': type }).end(readFileSync(join(folder, name)))
  }
}

function content(request: IncomingMessage, response: ServerResponse): void {
  const text = Buffer.from('All is <b>well</b>.\n')
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': text.length }
  response.writeHead(request.headers.range === undefined ? 200 : 206, headers).end(text)
}

function tell(response: ServerResponse, kind: string, data: ClientEvent | object): void {
  response.write(`event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`)
}

function onWire(value: unknown): object {
  const answer = value as Answer<unknown> | undefined
  const isAnswer = typeof value === 'object' && value !== null && 'ok' in value && answer !== undefined
  if (!isAnswer) return { ok: true, value }
  return answer.ok ? answer : no(answer.refusal.code, answer.refusal.sentence)
}

function no(code: string, sentence: string): object {
  return { ok: false, code, sentence }
}

function json(response: ServerResponse, value: object, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts)
}

/** Removes what `builtPage` made. */
export function removePage(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}
