// A page server with a small page of its own and a client that answers yes, and a browser that sends what a test says.

import { mkdirSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { WebServer, type WebServerOptions } from '../../../src/web/server/web-server.ts'
import { fakeClient, type FakeClient } from '../../client/prompt/fake-operations.ts'
import type { ContentReading } from '../../../src/client/readable-content.ts'
import { refuse } from '../../../src/common/refusal.ts'
import type { ClientEvent } from '../../../src/client/operations.ts'
import { temporaryFolder } from '../../client/temporary-folder.ts'

export interface OnePage {
  readonly server: WebServer
  readonly client: FakeClient
  readonly port: number
  /** Pages that listen for events at the moment. */
  readonly listeners: ReadonlySet<(event: ClientEvent) => void>
  readonly failures: unknown[]
}

/** A folder with a page of three files. */
export function pageFolder(): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'index.html'), '<!doctype html><head><title>Coterie</title></head>')
  writeFileSync(join(folder, 'page.js'), 'export {}')
  writeFileSync(join(folder, 'secret.txt'), 'no part of the page')
  mkdirSync(join(folder, 'fonts'))
  writeFileSync(join(folder, 'fonts', 'one.woff2'), 'font')
  return folder
}

/** Nothing is shared or downloaded. */
export const noContents: ContentReading = {
  open: async () => refuse('not-shared', 'nothing is shared here'),
}

export async function onePage(options: Partial<WebServerOptions> = {}): Promise<OnePage> {
  const client = fakeClient()
  const listeners = new Set<(event: ClientEvent) => void>()
  const failures: unknown[] = []
  const server = await WebServer.start({
    port: 0,
    assets: pageFolder(),
    operations: client.operations,
    reading: noContents,
    subscribe: (listener) => {
      listeners.add(listener)
      client.subscribe((event) => listeners.has(listener) && listener(event))
      return () => void listeners.delete(listener)
    },
    onFailure: (error) => failures.push(error),
    ...options,
  })
  onTestFinished(() => server.close())
  return { server, client, port: server.port, listeners, failures }
}

export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  readonly text: string
  /** Of the body as JSON. */
  readonly json: () => Record<string, unknown>
}

/** One request on a connection of its own, with these headers and no others. */
export function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Asking = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const agent = new Agent()
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        agent.destroy()
        const whole = Buffer.concat(chunks)
        const text = whole.toString('utf8')
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: whole,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
        })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** The path of a link with its token. */
export function pathOf(link: string): string {
  const { pathname, search } = new URL(link)
  return `${pathname}${search}`
}

/** A browser that has opened a link: the headers of what its page asks for. */
export type Browser = Readonly<Record<'cookie' | 'x-coterie', string>>

export function browser({ server, port }: OnePage): Promise<Browser> {
  return letIn(port, server.link())
}

export async function letIn(port: number, link: string): Promise<Browser> {
  const { headers, text } = await ask(port, pathOf(link))
  const [cookie] = headers['set-cookie'] ?? []
  const key = /<meta name="key" content="([\w-]{43})" \/>/.exec(text)?.[1]
  return { cookie: String(cookie).split(';')[0] ?? '', 'x-coterie': key ?? '' }
}

/** What a page is told first, as it is told. */
export async function helloTo(page: OnePage): Promise<{ readonly fileKey: string; readonly text: string }> {
  const { socket, read } = rawConnection(page.port)
  const host = `Host: 127.0.0.1:${page.port}\r\n`
  socket.write(`GET /api/events HTTP/1.1\r\n${host}${linesOf(await browser(page))}\r\n`)
  const [text, data = '{}'] = await vi.waitFor(() => {
    const told = /event: hello\ndata: (.*)\n\n/.exec(read())
    expect(told).not.toBeNull()
    return told ?? []
  })
  socket.destroy()
  return { ...(JSON.parse(data) as { fileKey: string }), text: String(text) }
}

/** Of a request that a test writes by hand. */
export function linesOf({ cookie, 'x-coterie': key }: Browser): string {
  return `Cookie: ${cookie}\r\nX-Coterie: ${key}\r\n`
}

/** What its page sends with an operation. */
export function asPage(headers: Readonly<Record<string, string>>, given: unknown): Asking {
  return posted(headers, { given })
}

/** What it sends with several of them. */
export function several(headers: Readonly<Record<string, string>>, asked: unknown): Asking {
  return posted(headers, { asked })
}

function posted(headers: Readonly<Record<string, string>>, said: object): Asking {
  return {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(said),
  }
}

/** A connection on which a test writes what it likes; what came back is collected. */
export function rawConnection(port: number): { socket: Socket; read: () => string; closed: Promise<void> } {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return { socket, read: () => text, closed }
}
