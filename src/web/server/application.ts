// What can be asked of the page server, by whom, and who answers.

import { Hono, type Context } from 'hono'
import type { IncomingMessage } from 'node:http'
import { operate } from '../../client/control/operate.ts'
import type { Operations } from '../../client/operations.ts'
import type { ContentReading } from '../../client/readable-content.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { clientProgram } from '../../common/version.ts'
import type { Access } from './access.ts'
import type { Assets } from './assets.ts'
import { readBody } from './body.ts'
import { DroppedFiles } from './dropped-files.ts'
import type { EventStreams } from './event-streams.ts'
import { FileStreams } from './file-streams.ts'
import { givenIn, isPageOperation, severalIn, type Call } from './given.ts'
import { refusalResponse, webRefusal, type WebRefusal } from './refusals.ts'
import { cookieRefusal, hostRefusal, keyIn, keyRefusal, originRefusal } from './request-checks.ts'
import { pageLimits } from './limits.ts'
import { TextResponse } from '../http/text-response.ts'

export interface ApplicationParts {
  /** Of the server. */
  readonly port: number
  /** Of the cookie. */
  readonly cookieName: string
  readonly access: Access
  readonly assets: Assets
  readonly operations: Operations
  readonly reading: ContentReading
  /** Where files go that are dropped into the page, unless it names another folder. */
  readonly dropFolder?: string | undefined
  readonly dropSilenceMs?: number | undefined
  readonly events: EventStreams
}

interface Bindings {
  readonly incoming: IncomingMessage
  /** It has the cookie of this client. */
  readonly isKnown: boolean
  /** Aborts when nobody waits for the answer. */
  readonly gone: AbortSignal
}
type Environment = { Bindings: Bindings }
export type Application = Hono<Environment>
type Asked = Context<Environment>

export function applicationOf(parts: ApplicationParts): Application {
  const { access, assets, events, port } = parts
  const app: Application = new Hono()

  app.use(async (asked, next) => {
    const refusal = refusalOf(asked, port)
    return refusal === undefined ? next() : refused(asked, refusal)
  })
  app.use('/api/*', async (asked, next) => {
    const { incoming, isKnown } = asked.env
    if (!isKnown) return refused(asked, cookieRefusal())
    // Pictures are asked for by the browser, which sends no header.
    const isFile = asked.req.path.startsWith(filesPath) && access.holdsFileKey(asked.req.query('key') ?? '')
    return isFile || access.holdsKey(keyIn(incoming.headers)) ? next() : refused(asked, keyRefusal())
  })

  app.get('/open', (asked) => {
    const cookie = access.redeem(asked.req.query('token') ?? '')
    if (cookie !== undefined) return firstPage(parts, cookie)
    // It has the key already, or says how to get it.
    return asked.env.isKnown ? asked.redirect('/', 303) : refused(asked, usedLink)
  })
  app.get('/api/events', (asked) => {
    const tooMany = webRefusal('too-many', 'too many tabs are open; close some of them')
    return events.open() ?? refused(asked, tooMany)
  })
  app.get(`${filesPath}:group/:name`, filesHandler(parts))
  app.post('/api/drop', dropHandler(parts))
  const carrier = new Carrier(parts.operations)
  app.post('/api/several', severalHandler(carrier))
  app.post('/api/:operation', operationHandler(carrier))
  app.get('*', (asked) => {
    const { path } = asked.req
    const known = asked.env.incoming.headers['if-none-match']
    const found = isOfScripts(path) ? undefined : assets.find(path, known)
    return found ?? refused(asked, webRefusal('no-such-thing', `there is nothing at ${path}`))
  })
  app.notFound((asked) =>
    refused(asked, webRefusal('no-such-thing', `there is nothing to ask at ${asked.req.path}`)),
  )
  app.onError((error) => {
    throw error
  })
  return app
}

const filesPath = '/api/files/'

/** The page with its key, which is in no address, so that it stays in no history; a script of the page keeps it. */
function firstPage({ access, assets, cookieName }: ApplicationParts, cookie: string): Response {
  return new Response(assets.startPage(`<meta name="key" content="${access.key}" />`), {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'set-cookie': `${cookieName}=${cookie}; Path=/; HttpOnly; SameSite=Strict`,
    },
  })
}

const usedLink = webRefusal(
  'link-used',
  'this link was opened before, or is older than two minutes: type show_page at the prompt of the client for another one',
)

/** For one that no page of ours sends to this server. */
function refusalOf(asked: Asked, port: number): WebRefusal | undefined {
  const { headers, method } = asked.env.incoming
  const isScripts = isOfScripts(asked.req.path)
  const refusal = hostRefusal(headers, port) ?? originRefusal(headers, isScripts)
  if (refusal !== undefined || method !== 'HEAD') return refusal
  // To look at a link would use it up.
  const isAsset = !isScripts && asked.req.path !== '/open'
  return isAsset ? undefined : webRefusal('wrong-method', 'the method HEAD was refused here; use GET')
}

function isOfScripts(path: string): boolean {
  return path === '/api' || path.startsWith('/api/')
}

function refused(asked: Asked, refusal: WebRefusal): Response {
  return refusalResponse(refusal, isOfScripts(asked.req.path))
}

/** Carries out operations for pages, a bounded number at a time. */
class Carrier {
  readonly #operations: Operations
  #underWay = 0

  constructor(operations: Operations) {
    this.#operations = operations
  }

  /** All at once; resolves to the answers in their order. */
  async carryOut(calls: readonly Call[]): Promise<readonly Answer<unknown>[] | WebRefusal> {
    if (this.#underWay + calls.length > pageLimits.operations)
      return webRefusal('too-many', 'too much is asked for at once; wait for the answers')
    this.#underWay += calls.length
    try {
      return await Promise.all(
        calls.map(async ([name, given]) => {
          const answer = await operate(this.#operations, name, given)
          return answer.ok ? accept(answer.value.value) : answer
        }),
      )
    } finally {
      this.#underWay -= calls.length
    }
  }
}

function operationHandler(carrier: Carrier): (asked: Asked) => Promise<Response> {
  return async (asked) => {
    const name = asked.req.param('operation') ?? ''
    if (!isPageOperation(name))
      return refused(asked, webRefusal('no-such-thing', `pages cannot ask for ${JSON.stringify(name)}`))
    const given = await bodyBy(asked.env.incoming, (body) => givenIn(name, body))
    if ('code' in given) return refused(asked, given)
    const answers = await carrier.carryOut([[name, given]])
    if ('code' in answers) return refused(asked, answers)
    const [answer] = answers
    return answered(answer ?? accept(undefined))
  }
}

/** What a page asks for every second comes in one request: each costs the client and the browser more than its answer. */
function severalHandler(carrier: Carrier): (asked: Asked) => Promise<Response> {
  return async (asked) => {
    const calls = await bodyBy(asked.env.incoming, severalIn)
    if ('code' in calls) return refused(asked, calls)
    const answers = await carrier.carryOut(calls)
    return 'code' in answers ? refused(asked, answers) : answered(accept(answers.map(saidOf)))
  }
}

function filesHandler({ reading }: ApplicationParts): (asked: Asked) => Promise<Response> {
  const files = new FileStreams(reading)
  return async (asked) => {
    const [group, name] = [asked.req.param('group') ?? '', asked.req.param('name') ?? '']
    const { incoming, gone } = asked.env
    const sent = await files.send({ group, name, path: asked.req.query('path') }, incoming.headers, gone)
    return sent instanceof Response ? sent : refused(asked, sent)
  }
}

function dropHandler({
  operations,
  dropFolder,
  dropSilenceMs,
}: ApplicationParts): (asked: Asked) => Promise<Response> {
  const dropped = new DroppedFiles(operations, dropSilenceMs)
  return async (asked) => {
    const { group, name, folder = dropFolder } = asked.req.query()
    if (group === undefined || name === undefined)
      return refused(asked, webRefusal('bad-request', 'a dropped file needs ?group= and name='))
    if (folder === undefined) return answered(noDropFolder)
    return answered(await dropped.take({ group, name, folder }, asked.env.incoming))
  }
}

const noDropFolder = refuse(
  'usage',
  'no folder is named for files that are dropped here: start the client with --drop-folder <folder>, or share the file by its path',
)

/** Yes and no of an operation are both answers. */
function answered(answer: Answer<unknown>): Response {
  return TextResponse.ofJson(saidOf(answer), { 'cache-control': 'no-store' })
}

function saidOf(answer: Answer<unknown>): object {
  return answer.ok ? answer : { ok: false, ...answer.refusal }
}

/** What the body of a request says, as `read` takes it. */
async function bodyBy<T>(
  incoming: IncomingMessage,
  read: (body: string) => Answer<readonly T[]>,
): Promise<readonly T[] | WebRefusal> {
  // What a form can send is of another type.
  if (!/^application\/json(;|$)/i.test(incoming.headers['content-type'] ?? ''))
    return webRefusal('bad-request', 'a request that is no JSON was refused; the page sends application/json')
  const body = await readBody(incoming)
  if (typeof body !== 'string') return body
  const said = read(body)
  return said.ok ? said.value : webRefusal('bad-request', said.refusal.sentence)
}

/** What a page is told first by its events. */
export function helloOf(
  operations: Operations,
  { fileKey }: Access,
): { user: string | undefined; program: string; fileKey: string } {
  return { user: operations.whoami(), program: clientProgram, fileKey }
}
