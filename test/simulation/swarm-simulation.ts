// A swarm in virtual time: real pickers, and uploaders that send one whole piece at a time, round robin
// over those who wait, each at its own bandwidth. Downloads are not limited. What a client does around
// its picker (how much it asks ahead, when it gives a silent peer up) is repeated here from swarm.ts and
// peer-link.ts in a few lines; nothing else of them takes part.

import { Picker } from '../../src/client/downloading/picker.ts'
import { Bitfield } from '../../src/common/bitfield.ts'
import { pieceBytes } from '../../src/common/limits.ts'
import { EventQueue } from './event-queue.ts'
import { seededRandom } from './seeded-random.ts'

export interface MemberPlan {
  readonly bytesPerSecond: number
  readonly isSeeder?: boolean
  /** Its connections break at this time. */
  readonly diesAtMs?: number
  /** It comes back with the pieces it has. */
  readonly returnsAtMs?: number
  /** It stops to answer at this time, its connections stay open. */
  readonly hangsAtMs?: number
}

export interface SwarmPlan {
  readonly pieceCount: number
  readonly members: readonly MemberPlan[]
  readonly seed: number
  readonly latencyMs?: number
}

export interface SwarmResult {
  /** By member: when it had every piece; undefined when it was dead or hung at the end. */
  readonly finishedAtMs: readonly (number | undefined)[]
  readonly lastFinishedMs: number
  readonly deliveredPieces: number
  /** Delivered to somebody who had them already. */
  readonly wastedPieces: number
  readonly events: number
}

/** As in swarm.ts and peer-link.ts. */
const askAheadMs = 250
const askAheadMin = 2
const askAheadMax = 16
const tickMs = 250
const silentMaxMs = 4000

/** Far more than any swarm here needs: one that does not end is stopped. */
const eventsMax = 2_000_000

/** What a downloader knows of one uploader. */
interface Link {
  readonly asked: Map<number, number>
  lastPieceAtMs: number
  lastHeardAtMs: number
  msPerPiece: number | undefined
}

interface Member {
  readonly id: string
  readonly pieceMs: number
  readonly plan: MemberPlan
  readonly have: Bitfield
  picker: Picker
  /** To those it downloads from. */
  readonly links: Map<Member, Link>
  /** What it was asked for and by whom, in the order of turns. */
  readonly waiting: Map<Member, number[]>
  isSending: boolean
  isDead: boolean
  isHung: boolean
  /** Counts its lives: what was planned in an earlier one does not happen. */
  life: number
  finishedAtMs: number | undefined
}

class Swarm {
  readonly #plan: SwarmPlan
  readonly #time = new EventQueue()
  readonly #latencyMs: number
  readonly #random: () => number
  readonly #members: Member[]
  #deliveredPieces = 0
  #wastedPieces = 0

  constructor(plan: SwarmPlan) {
    this.#plan = plan
    this.#latencyMs = plan.latencyMs ?? 5
    this.#random = seededRandom(plan.seed)
    this.#members = plan.members.map((member, index) => this.#member(member, `m${index}`))
  }

  run(): SwarmResult {
    for (const member of this.#members) {
      this.#join(member)
      const { diesAtMs, returnsAtMs, hangsAtMs } = member.plan
      if (diesAtMs !== undefined) this.#time.after(diesAtMs, () => this.#die(member))
      if (hangsAtMs !== undefined) this.#time.after(hangsAtMs, () => (member.isHung = true))
      if (returnsAtMs !== undefined) this.#time.after(returnsAtMs, () => this.#return(member))
    }
    this.#time.after(tickMs, () => this.#tick())
    let events = 0
    while (!this.#isOver() && this.#time.step()) if (++events > eventsMax) throw this.#stuck()
    if (!this.#isOver()) throw this.#stuck()
    const finishedAtMs = this.#members.map((member) => member.finishedAtMs)
    return {
      finishedAtMs,
      lastFinishedMs: Math.max(...finishedAtMs.map((ms) => ms ?? 0)),
      deliveredPieces: this.#deliveredPieces,
      wastedPieces: this.#wastedPieces,
      events,
    }
  }

  #member(plan: MemberPlan, id: string): Member {
    const { pieceCount } = this.#plan
    const have = plan.isSeeder === true ? Bitfield.full(pieceCount) : new Bitfield(pieceCount)
    return {
      id,
      plan,
      have,
      pieceMs: (pieceBytes / plan.bytesPerSecond) * 1000,
      picker: new Picker(have, this.#random),
      links: new Map(),
      waiting: new Map(),
      isSending: false,
      isDead: true,
      isHung: false,
      life: 0,
      finishedAtMs: have.isFull ? 0 : undefined,
    }
  }

  /** Nobody who can still finish, or will come back, is without a piece. */
  #isOver(): boolean {
    return this.#members.every(
      (member) =>
        member.have.isFull ||
        member.isHung ||
        (member.isDead && (member.plan.returnsAtMs ?? 0) <= this.#time.nowMs),
    )
  }

  #stuck(): Error {
    const states = this.#members.map(({ id, have }) => `${id} ${have.count}`).join(', ')
    const { seed, pieceCount } = this.#plan
    return new Error(`seed ${seed}: at ${this.#time.nowMs} ms not all have ${pieceCount} pieces: ${states}`)
  }

  #join(member: Member): void {
    member.isDead = false
    for (const other of this.#members) {
      if (other === member || other.isDead) continue
      this.#connect(member, other)
      this.#connect(other, member)
    }
  }

  #connect(downloader: Member, uploader: Member): void {
    if (downloader.have.isFull) return
    this.#between(downloader, uploader, () => {
      const nowMs = this.#time.nowMs
      const link = { asked: new Map(), lastPieceAtMs: 0, lastHeardAtMs: nowMs, msPerPiece: undefined }
      downloader.links.set(uploader, link)
      downloader.picker.onPeer(uploader.id, copyOf(uploader.have))
      this.#fill(downloader, uploader)
    })
  }

  /** Something that goes from one to the other and takes its time; lost when one of them dies. */
  #between(one: Member, other: Member, run: () => void): void {
    const lives = [one.life, other.life]
    this.#time.after(this.#latencyMs, () => {
      if (one.life === lives[0] && other.life === lives[1] && !one.isHung) run()
    })
  }

  #die(member: Member): void {
    member.isDead = true
    member.isSending = false
    member.life++
    member.links.clear()
    member.waiting.clear()
    for (const other of this.#members) {
      if (other.isDead) continue
      other.waiting.delete(member)
      this.#time.after(this.#latencyMs, () => this.#lose(other, member))
    }
  }

  #return(member: Member): void {
    member.picker = new Picker(member.have, this.#random)
    this.#join(member)
  }

  /** The downloader has no connection to the uploader any more. */
  #lose(downloader: Member, uploader: Member): void {
    if (!downloader.links.delete(uploader)) return
    uploader.waiting.delete(downloader)
    downloader.picker.onPeerGone(uploader.id)
    this.#fillAll(downloader)
  }

  #fillAll(downloader: Member): void {
    for (const uploader of downloader.links.keys()) this.#fill(downloader, uploader)
  }

  #fill(downloader: Member, uploader: Member): void {
    const link = downloader.links.get(uploader)
    if (link === undefined || downloader.isHung) return
    while (link.asked.size < askAhead(link.msPerPiece)) {
      const index = downloader.picker.pickFor(uploader.id, this.#time.nowMs)
      if (index === undefined) return
      link.asked.set(index, this.#time.nowMs)
      this.#between(uploader, downloader, () => {
        const requests = uploader.waiting.get(downloader) ?? []
        requests.push(index)
        uploader.waiting.set(downloader, requests)
        this.#serve(uploader)
      })
    }
  }

  #serve(uploader: Member): void {
    if (uploader.isSending || uploader.isHung || uploader.isDead) return
    const turn = [...uploader.waiting].find(([, requests]) => requests.length > 0)
    const index = turn?.[1].shift()
    if (turn === undefined || index === undefined) return
    const [downloader, requests] = turn
    uploader.waiting.delete(downloader)
    uploader.waiting.set(downloader, requests)
    uploader.isSending = true
    const { life } = uploader
    this.#time.after(uploader.pieceMs, () => {
      if (uploader.life !== life || uploader.isHung) return
      uploader.isSending = false
      this.#between(downloader, uploader, () => this.#receive(downloader, uploader, index))
      this.#serve(uploader)
    })
  }

  #receive(downloader: Member, uploader: Member, index: number): void {
    const { picker } = downloader
    const link = downloader.links.get(uploader)
    if (link === undefined) return
    this.#deliveredPieces++
    this.#measure(link, index)
    link.asked.delete(index)
    picker.onPace(uploader.id, link.msPerPiece ?? 0)
    if (picker.isMissing(index)) {
      downloader.have.set(index)
      for (const other of picker.onVerified(index)) this.#cancel(downloader, other, index)
      this.#tellHave(downloader, index)
    } else {
      this.#wastedPieces++
    }
    picker.onGivenUp(uploader.id, index)
    if (downloader.have.isFull) downloader.finishedAtMs ??= this.#time.nowMs
    this.#fill(downloader, uploader)
  }

  #measure(link: Link, index: number): void {
    const nowMs = this.#time.nowMs
    const tookMs = nowMs - Math.max(link.lastPieceAtMs, link.asked.get(index) ?? 0)
    link.lastPieceAtMs = nowMs
    link.lastHeardAtMs = nowMs
    link.msPerPiece = link.msPerPiece === undefined ? tookMs : link.msPerPiece * 0.8 + tookMs * 0.2
  }

  #tellHave(owner: Member, index: number): void {
    for (const other of this.#members) {
      if (other === owner || other.have.isFull) continue
      this.#between(other, owner, () => {
        if (!other.links.has(owner)) return
        other.picker.onHave(owner.id, index)
        this.#fill(other, owner)
      })
    }
  }

  /** What is being sent already comes all the same. */
  #cancel(downloader: Member, uploaderId: string, index: number): void {
    const uploader = this.#members.find(({ id }) => id === uploaderId)
    if (uploader === undefined) return
    this.#between(uploader, downloader, () => {
      const requests = uploader.waiting.get(downloader) ?? []
      const at = requests.indexOf(index)
      if (at === -1) return
      requests.splice(at, 1)
      this.#between(downloader, uploader, () => {
        downloader.links.get(uploader)?.asked.delete(index)
        downloader.picker.onGivenUp(uploader.id, index)
        this.#fill(downloader, uploader)
      })
    })
  }

  /** Who hangs is given up when it has been silent for long though it owes pieces; others answer a ping. */
  #tick(): void {
    for (const member of this.#members) {
      for (const [other, link] of member.links) {
        if (!other.isHung || link.asked.size === 0) link.lastHeardAtMs = this.#time.nowMs
        else if (this.#time.nowMs - link.lastHeardAtMs > silentMaxMs) this.#lose(member, other)
      }
      this.#fillAll(member)
    }
    this.#time.after(tickMs, () => this.#tick())
  }
}

export function simulateSwarm(plan: SwarmPlan): SwarmResult {
  return new Swarm(plan).run()
}

/** The time that no swarm can beat: one seeder's bandwidth, or that of all together. In milliseconds. */
export function boundMs(pieceCount: number, seederRate: number, downloaderRates: readonly number[]): number {
  const sizeBytes = pieceCount * pieceBytes
  const allRates = downloaderRates.reduce((sum, rate) => sum + rate, seederRate)
  return 1000 * Math.max(sizeBytes / seederRate, (downloaderRates.length * sizeBytes) / allRates)
}

function askAhead(msPerPiece: number | undefined): number {
  if (msPerPiece === undefined) return askAheadMin
  return Math.min(askAheadMax, Math.max(askAheadMin, Math.ceil(askAheadMs / Math.max(1, msPerPiece)) + 1))
}

function copyOf(field: Bitfield): Bitfield {
  return Bitfield.fromBytes(field.toBytes(), field.length) ?? new Bitfield(field.length)
}
