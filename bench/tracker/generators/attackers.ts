// Attacks a tracker: one account on many connections, and connections without a login. Each keeps as many requests in
// flight as the tracker takes, and reconnects at once when it is cut off.

import { giveWay, ownLoad, serveOrders } from '../generator.ts'
import { fileId, sizeBytes } from '../states.ts'
import { TrackerUser, type Account } from '../tracker-user.ts'
import { makeNonce } from '../../../src/common/security/challenge.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { requestsInFlightMax } from '../../../src/common/limits.ts'

/** Attacks of the account. */
export const accountAttacks = [
  'refused joins',
  'pages past the end',
  'full writes',
  'dear lines',
  'changes',
  'changes with news',
] as const
/** Attacks of connections that say `hello` and do not log in. */
export const strangerAttacks = ['login_start', 'register'] as const
export type Attack = (typeof accountAttacks)[number] | (typeof strangerAttacks)[number]

export type AttackOrder =
  | {
      readonly what: 'start'
      readonly port: number
      /** An account that exists and is a member of the group `crowd`. */
      readonly user: string
      /** Connections for each kind. */
      readonly attacks: ReadonlyMap<Attack, number>
    }
  | { readonly what: 'stop' }

/** The answer to `stop`, counted since the start. */
export interface AttackReport {
  readonly answersPerSecond: number
  /** Received chunks that contain a refusal, and one of the refusals. */
  readonly refusals: number
  readonly refusal: string | undefined
  /** How often the tracker ended or refused a connection. */
  readonly cutOff: number
  readonly load: number
}

const bytesOfFullWrite = 64 * 1024
/** Bytes that `jsonrpc` and the id add to a request, roughly. */
const lineOverhead = 32
const key = Buffer.alloc(32, 3).toString('base64')
const pauseWhenRefusedMs = 20
/** Hardly any answer, and all that a line can take to be parsed. */
const dearLine = `"method":"ping","params":[${'[],'.repeat(21_000)}[]]`

/** The part of a request after its id. Each is the most expensive of its kind; names and ids are new each time. */
const requests: Record<Attack, () => string> = {
  'refused joins': () => `"method":"join_group","params":{"id":"${newId()}","group":"nowhere"}`,
  'pages past the end': () => '"method":"list_groups","params":{"after":"~"}',
  // Each is answered with peers and a ticket.
  'full writes': () => '"method":"find_file","params":{"group":"crowd","name":"film.mkv"}',
  'dear lines': () => dearLine,
  changes: () => share(newName(), fileId),
  // Every connection of the account is notified that the former version is gone.
  'changes with news': () => share('mine.jpg', String(made).padStart(64, '0')),
  login_start: () => `"method":"login_start","params":{"clientFirst":"n,,n=${newName()},r=${newId()}"}`,
  register: () =>
    `"method":"register","params":{"id":"${newId()}","user":"${newName()}","salt":"${key.slice(0, 22)}==","iterations":600000,"storedKey":"${key}","serverKey":"${key}"}`,
}

/** Letters and digits only: it is part of ids and of names. */
const run = makeNonce().slice(0, 8).replaceAll(/[-_]/g, 'x')
let made = 0

function newId(): string {
  return `attack-${run}-${String(made++).padStart(8, '0')}`
}

function newName(): string {
  return `x${run}-${made++}`
}

function share(name: string, contentId: string): string {
  const file = JSON.stringify({ id: newId(), group: 'crowd', name, fileId: contentId, sizeBytes })
  return `"method":"share_file","params":${file}`
}

/** What has happened since the start. */
let battle = newBattle()

function newBattle() {
  return {
    isEnding: false,
    answers: 0,
    refusals: 0,
    refusal: undefined as string | undefined,
    cutOff: 0,
    users: new Set<TrackerUser>(),
    fights: [] as Promise<void>[],
    startedAtMs: performance.now(),
    cpuBefore: process.cpuUsage(),
  }
}

/** Resolves when every connection attacks, or has been refused for the first time. */
async function start({ port, user, attacks }: AttackOrder & { what: 'start' }): Promise<void> {
  battle = newBattle()
  const account = { user, identity: makeIdentity() }
  const begun: Promise<void>[] = []
  for (const [attack, connections] of attacks) {
    for (let count = 0; count < connections; count++) {
      begun.push(new Promise((resolve) => battle.fights.push(fight(port, attack, account, resolve))))
    }
  }
  await Promise.all(begun)
  const { startedAtMs, cpuBefore } = newBattle()
  Object.assign(battle, { startedAtMs, cpuBefore, answers: 0 })
}

async function stop(): Promise<AttackReport> {
  const { answers, cutOff, startedAtMs, cpuBefore, users, fights } = battle
  const seconds = (performance.now() - startedAtMs) / 1000
  const load = ownLoad(cpuBefore, seconds)
  battle.isEnding = true
  for (const user of users) user.end()
  await Promise.all(fights)
  const { refusals, refusal } = battle
  return { answersPerSecond: answers / seconds, refusals, refusal, cutOff, load }
}

/** Attacks on one connection after another until `stop`. */
async function fight(port: number, attack: Attack, account: Account, onBegun: () => void): Promise<void> {
  while (!battle.isEnding) {
    const user = await come(port, attack, account)
    if (user !== undefined) await attackOn(user, attack, onBegun)
    onBegun()
    if (battle.isEnding) return
    battle.cutOff++
    await new Promise((resolve) => setTimeout(resolve, user === undefined ? pauseWhenRefusedMs : 0))
  }
}

/** Undefined when the tracker does not let it in. */
async function come(port: number, attack: Attack, account: Account): Promise<TrackerUser | undefined> {
  try {
    if (isOfAccount(attack)) return await TrackerUser.loggedIn(port, account, 1)
    const user = await TrackerUser.connect(port)
    user.onLost = () => undefined
    await user.hello()
    return user
  } catch {
    return undefined
  }
}

function isOfAccount(attack: Attack): boolean {
  return (accountAttacks as readonly string[]).includes(attack)
}

/** Resolves when the connection is lost. */
async function attackOn(user: TrackerUser, attack: Attack, onBegun: () => void): Promise<void> {
  const next = requests[attack]
  const isFullWrites = attack === 'full writes'
  const send = (): void => {
    if (isFullWrites) {
      const text = next()
      for (let bytes = 0; bytes < bytesOfFullWrite; bytes += text.length + lineOverhead) user.send(text)
    } else while (user.inFlight < requestsInFlightMax) user.send(next())
  }
  battle.users.add(user)
  await new Promise<void>((resolve) => {
    user.onLost = resolve
    if (user.isClosed) return resolve()
    user.measure(() => {
      battle.answers++
      if (!isFullWrites || user.inFlight === 0) send()
    })
    send()
    user.flush()
    onBegun()
  })
  battle.users.delete(user)
  battle.refusals += user.refusals
  battle.refusal ??= user.refusal
}

giveWay()
serveOrders(async (order: AttackOrder) => (order.what === 'start' ? start(order) : stop()))
