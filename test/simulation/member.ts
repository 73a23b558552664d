// One member of a simulated swarm: its two real halves, and what it keeps of each connection.

import { Picker } from '../../src/client/downloading/picker.ts'
import { PieceDemand } from '../../src/client/sharing/piece-demand.ts'
import { TurnsAhead } from '../../src/client/sharing/turns-ahead.ts'
import { UploadOrder } from '../../src/client/sharing/upload-order.ts'
import { Bitfield } from '../../src/common/bitfield.ts'
import {
  peerConnectionLimits,
  peersPerFileMax,
  pieceBytes,
  pieceRequestsQueuedMax,
} from '../../src/common/limits.ts'
import type { MemberPlan } from './swarm-plan.ts'

/** What a downloader knows of one uploader. */
export interface Link {
  /** By piece: the request, and since when it is waited for, or has been arriving. */
  readonly asked: Map<number, { id: number; sinceMs: number }>
  /** Requests for a piece that the uploader chooses. */
  open: number
  /** The uploader was told what is wanted. */
  chooses: boolean
  lastPieceAtMs: number
  lastHeardAtMs: number
  msPerPiece: number | undefined
  /** From the line that announces a piece to its last byte. */
  msPerTransfer: number | undefined
}

/** Members by how far they are away, one way: what is said to many arrives at once where they are as far. */
type ByLatency = Map<number, Set<Member>>

export class Member {
  readonly id: string
  readonly plan: MemberPlan
  readonly pieceMs: number
  readonly latencyMs: number
  readonly have: Bitfield
  readonly #random: () => number
  picker: Picker
  demand: PieceDemand<Member>
  order: UploadOrder<Member, number>
  /** To those it downloads from. */
  readonly links = new Map<Member, Link>()
  readonly uploaders: ByLatency = new Map()
  readonly downloaders: ByLatency = new Map()
  #downloaderCount = 0
  isSending = false
  sendingUntilMs = 0
  /** Was chosen and told, and comes next. */
  ahead = new TurnsAhead<Member, number>()
  isDead = true
  isHung = false
  /** Counts its lives: what was said in an earlier one is not heard. */
  life = 0
  finishedAtMs: number | undefined

  constructor(plan: MemberPlan, index: number, pieceCount: number, random: () => number) {
    this.id = String(index)
    this.plan = plan
    this.pieceMs = (pieceBytes / plan.bytesPerSecond) * 1000
    this.latencyMs = plan.latencyMs ?? 1
    this.have = plan.isSeeder === true ? Bitfield.full(pieceCount) : new Bitfield(pieceCount)
    for (const index of plan.has ?? []) this.have.set(index)
    this.#random = random
    this.picker = new Picker(this.have, random)
    this.demand = new PieceDemand(this.have, random)
    this.order = new UploadOrder(random)
    this.finishedAtMs = this.have.isFull ? 0 : undefined
  }

  /** It will be there at the end: whoever is dead or hung by then is not waited for. */
  get isAwaited(): boolean {
    const { hangsAtMs, diesAtMs, returnsAtMs } = this.plan
    return hangsAtMs === undefined && (diesAtMs === undefined || returnsAtMs !== undefined)
  }

  /** A downloader says what it wants. */
  onWants(downloader: Member, wants: Bitfield): void {
    this.demand.onWants(downloader, wants)
    this.order.lookAgain(downloader)
  }

  join(): void {
    this.isDead = false
    if (this.life === 0) return
    this.picker = new Picker(this.have, this.#random)
    this.demand = new PieceDemand(this.have, this.#random)
    this.order = new UploadOrder(this.#random)
  }

  die(): void {
    this.isDead = true
    this.isSending = false
    this.ahead = new TurnsAhead()
    this.life++
    this.unlinkAll()
    this.downloaders.clear()
    this.#downloaderCount = 0
  }

  /** A downloader is let in, unless there are too many. */
  admit(downloader: Member): boolean {
    if (this.#downloaderCount >= peerConnectionLimits.proven) return false
    if (this.#put(this.downloaders, downloader)) this.#downloaderCount++
    return true
  }

  /** A downloader has gone. */
  dismiss(downloader: Member): void {
    if (this.downloaders.get(this.latencyTo(downloader))?.delete(downloader) !== true) return
    this.#downloaderCount--
    this.demand.onPeerGone(downloader)
    this.order.onPeerGone(downloader)
    this.ahead.onPeerGone(downloader)
  }

  link(uploader: Member, has: Bitfield, nowMs: number): Link {
    const link: Link = {
      asked: new Map(),
      open: 0,
      chooses: false,
      lastPieceAtMs: nowMs,
      lastHeardAtMs: nowMs,
      msPerPiece: undefined,
      msPerTransfer: undefined,
    }
    this.links.set(uploader, link)
    this.#put(this.uploaders, uploader)
    this.picker.onPeer(uploader.id, has)
    return link
  }

  unlink(uploader: Member): boolean {
    this.uploaders.get(this.latencyTo(uploader))?.delete(uploader)
    return this.links.delete(uploader)
  }

  unlinkAll(): void {
    this.links.clear()
    this.uploaders.clear()
  }

  /** One way, in half milliseconds at the finest. */
  latencyTo({ plan: { place }, latencyMs }: Member): number {
    const [from = place, to = place] = [this.plan.place, place]
    const apartMs = from === undefined || to === undefined ? 0 : Math.hypot(from.x - to.x, from.y - to.y)
    return this.latencyMs + latencyMs + Math.round(2 * apartMs) / 2
  }

  #put(groups: ByLatency, member: Member): boolean {
    const latencyMs = this.latencyTo(member)
    const group = groups.get(latencyMs) ?? new Set()
    groups.set(latencyMs, group)
    const isNew = !group.has(member)
    group.add(member)
    return isNew
  }
}

export function isAlive(member: Member): boolean {
  return !member.isDead && !member.isHung
}

/** Whom the tracker names: at most so many of those that are there, any with the same chance. */
export function sample(members: readonly Member[], asker: Member, random: () => number): Member[] {
  const chosen: Member[] = []
  let seen = 0
  for (const member of members) {
    if (member === asker || !isAlive(member)) continue
    seen++
    const place = seen <= peersPerFileMax ? seen - 1 : Math.floor(random() * seen)
    if (place < peersPerFileMax) chosen[place] = member
  }
  return chosen
}

export function hasRoom(link: Link): boolean {
  return link.asked.size + link.open < pieceRequestsQueuedMax
}
