// A crowd of clients that want one file. They log in first; then each asks for the file, announces some of its pieces
// and later all. Counts the bytes that the tracker sends.

import { ownLoad, serveOrders } from '../generator.ts'
import { fileId, nameOf } from '../states.ts'
import { TrackerUser } from '../tracker-user.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'

/** `login` logs the crowd in; `come`, with the same numbers, has it ask for the file. */
export interface CrowdOrder {
  readonly what: 'login' | 'come'
  readonly port: number
  /** How many members of the state `crowd` take part. */
  readonly users: number
  /** They arrive evenly spread over this time. */
  readonly comingMs: number
  /** Each has the whole file this long after it arrived. */
  readonly downloadMs: number
  /** How long to listen after the last announce was answered. */
  readonly afterMs: number
  /** The run ends early when the tracker has sent this much, or has taken this long. */
  readonly bytesMax: number
  readonly msMax: number
}

export interface CrowdReport {
  /** What the tracker sent from the first `find_file` on. */
  readonly bytes: number
  /** From the first `find_file` to the answer to the last announce. */
  readonly seconds: number
  /** Out of three for each client. */
  readonly requestsAnswered: number
  readonly refusals: number
  /** Connections that the tracker closed, because this process could not keep up or for its own reasons. */
  readonly lost: number
  readonly isStopped: boolean
  readonly load: number
}

const loginsAtOnce = 32
const file = { group: 'crowd', name: 'film.mkv' }
const users: TrackerUser[] = []

async function logIn({ port, users: wanted }: CrowdOrder): Promise<void> {
  const waiting = Array.from({ length: wanted }, (_, index) => index)
  const work = async (): Promise<void> => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      const account = { user: nameOf('user', index), identity: makeIdentity() }
      users.push(await TrackerUser.loggedIn(port, account))
    }
  }
  await Promise.all(Array.from({ length: loginsAtOnce }, work))
}

async function come(order: CrowdOrder): Promise<CrowdReport> {
  const cpuBefore = process.cpuUsage()
  const startedAtMs = performance.now()
  const bytesOfAll = (): number => users.reduce((sum, user) => sum + user.bytesReceived, 0)
  const bytesBefore = bytesOfAll()
  const counts = { answered: 0, refusals: 0, lost: 0 }
  for (const user of users) user.onLost = () => counts.lost++
  let bytesAtStop: number | undefined
  const watch = setInterval(() => {
    const bytes = bytesOfAll() - bytesBefore
    if (bytes < order.bytesMax && performance.now() - startedAtMs < order.msMax) return
    clearInterval(watch)
    bytesAtStop = bytes
    for (const user of users) user.giveUp()
  }, 200)
  const ask = async (user: TrackerUser, method: string, params: object): Promise<void> => {
    const answer = await user.request(method, params)
    if (bytesAtStop !== undefined || (!answer.ok && answer.code === 'closed')) return
    if (answer.ok && (answer.result['refused'] as unknown[] | undefined)?.length !== 1) counts.answered++
    else counts.refusals++
  }
  await Promise.all(
    users.map(async (user, index) => {
      await pause((index / users.length) * order.comingMs)
      await ask(user, 'find_file', file)
      await ask(user, 'announce', { files: [{ ...file, fileId, complete: false }] })
      await pause(order.downloadMs)
      await ask(user, 'announce', { files: [{ ...file, fileId, complete: true }] })
    }),
  )
  const seconds = (performance.now() - startedAtMs) / 1000
  if (bytesAtStop === undefined) await pause(order.afterMs)
  clearInterval(watch)
  const load = ownLoad(cpuBefore, (performance.now() - startedAtMs) / 1000)
  const bytes = bytesAtStop ?? bytesOfAll() - bytesBefore
  const { answered, refusals, lost } = counts
  const isStopped = bytesAtStop !== undefined
  return { bytes, seconds, requestsAnswered: answered, refusals, lost, isStopped, load }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

serveOrders(async (order: CrowdOrder): Promise<CrowdReport | undefined> => {
  if (order.what === 'come') return come(order)
  await logIn(order)
  return undefined
})
