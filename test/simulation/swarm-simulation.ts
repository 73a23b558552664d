// A swarm in virtual time: the real picker, the real demand and order of uploads, and the real rules of
// how much is asked and when a silent peer is given up. What is made up is the network: every uploader
// sends one whole piece at a time at its bandwidth, and everything said takes its time to arrive.

import {
  askAhead,
  averagePace,
  choicesAhead,
  isDoubtful,
  letsPeerChoose,
  pingTimeoutMs,
  tickMs,
} from '../../src/client/downloading/asking.ts'
import { Bitfield } from '../../src/common/bitfield.ts'
import { peersPerFileMax } from '../../src/common/limits.ts'
import { EventQueue } from './event-queue.ts'
import { Network } from './network.ts'
import { seededRandom } from './seeded-random.ts'
import { hasRoom, isAlive, Member, sample, type Link } from './member.ts'
import { turnsOfPeerMax } from '../../src/client/sharing/turns-ahead.ts'
import type { Turn } from '../../src/client/sharing/upload-order.ts'
import type { SwarmPlan, SwarmResult } from './swarm-plan.ts'

/** From the last byte of a piece until it is verified, written and told. */
const verifyMs = 2
/** Connecting, the ticket, the challenge and opening the file: so many times there and back. */
const greetingTrips = 4

/**
 * So long before a piece has gone out the next is chosen: as an upload limit does it, which is asked for
 * the next bytes when the last ones of a piece have been handed over, but are not paid for yet.
 */
const chosenAheadMs = 25

/** A swarm that does not end in so long is stuck. */
const longestMs = 3_600_000

export class SwarmSimulation {
  readonly #plan: SwarmPlan
  readonly #time = new EventQueue()
  readonly #network = new Network(this.#time)
  readonly #random: () => number
  readonly #members: Member[]
  #unfinished = 0
  #deliveredPieces = 0
  #wastedPieces = 0
  #requests = 0

  constructor(plan: SwarmPlan) {
    this.#plan = plan
    this.#random = seededRandom(plan.seed)
    this.#members = plan.members.map(
      (member, index) => new Member(member, index, plan.pieceCount, this.#random),
    )
  }

  run(): SwarmResult {
    for (const member of this.#members) {
      const { startsAtMs = 0, diesAtMs, returnsAtMs, hangsAtMs } = member.plan
      this.#time.after(startsAtMs, () => this.#join(member))
      if (diesAtMs !== undefined) this.#time.after(diesAtMs, () => this.#die(member))
      if (hangsAtMs !== undefined) this.#time.after(hangsAtMs, () => (member.isHung = true))
      if (returnsAtMs !== undefined) this.#time.after(returnsAtMs, () => this.#join(member))
      if (member.isAwaited && !member.have.isFull) this.#unfinished++
    }
    this.#time.after(tickMs, () => this.#tick())
    let events = 0
    while (this.#unfinished > 0) {
      if (!this.#time.step() || this.#time.nowMs > longestMs) throw this.#stuck()
      events++
    }
    const finishedAtMs = this.#members.map((member) => member.finishedAtMs)
    return {
      finishedAtMs,
      lastFinishedMs: finishedAtMs.reduce<number>((last, ms) => Math.max(last, ms ?? 0), 0),
      deliveredPieces: this.#deliveredPieces,
      wastedPieces: this.#wastedPieces,
      messages: this.#network.messages,
      events,
    }
  }

  #stuck(): Error {
    const { seed, pieceCount } = this.#plan
    const states = this.#members.map(({ id, have }) => `${id} ${have.count}`).slice(0, 50)
    return new Error(
      `seed ${seed}: at ${this.#time.nowMs} ms not all have ${pieceCount} pieces: ${states.join(', ')}`,
    )
  }

  #join(member: Member): void {
    member.join()
    for (const other of sample(this.#members, member, this.#random)) this.#connect(member, other)
    for (const other of this.#members) {
      if (other === member || !isAlive(other) || other.links.size >= peersPerFileMax) continue
      if (
        this.#members.length <= peersPerFileMax + 1 ||
        this.#random() < peersPerFileMax / this.#members.length
      )
        this.#connect(other, member)
    }
  }

  #connect(downloader: Member, uploader: Member): void {
    if (downloader.have.isFull) return
    const back = 2 * greetingTrips - 1
    this.#network.say(
      downloader,
      uploader,
      () => {
        if (downloader.have.isFull || downloader.links.has(uploader)) return
        if (!uploader.admit(downloader)) return
        const has = copyOf(uploader.have)
        this.#network.say(uploader, downloader, () => this.#onOpened(downloader, uploader, has))
      },
      back,
    )
  }

  #onOpened(downloader: Member, uploader: Member, has: Bitfield): void {
    if (downloader.links.has(uploader) || downloader.have.isFull || !isAlive(uploader)) return
    const link = downloader.link(uploader, has, this.#time.nowMs)
    this.#fill(downloader, uploader, link)
  }

  #fillAll(downloader: Member): void {
    for (const [uploader, link] of downloader.links) this.#fill(downloader, uploader, link)
  }

  #fill(downloader: Member, uploader: Member, link: Link): void {
    if (downloader.isHung) return
    const nowMs = this.#time.nowMs
    const ahead = askAhead(link.msPerPiece)
    if (letsPeerChoose(link.msPerPiece, link.chooses)) {
      if (!link.chooses) this.#letChoose(downloader, uploader, link)
      while (link.open < choicesAhead(link.msPerPiece) && hasRoom(link))
        this.#askForAny(downloader, uploader, link)
    }
    if (link.open > 0) {
      this.#askForPicked(downloader, uploader, link, ahead, () =>
        downloader.picker.pickLeftOverFor(uploader.id, nowMs),
      )
      return
    }
    link.chooses = false
    this.#askForPicked(downloader, uploader, link, ahead, () => downloader.picker.pickFor(uploader.id, nowMs))
  }

  #letChoose(downloader: Member, uploader: Member, link: Link): void {
    link.chooses = true
    const wants = downloader.picker.onOffer()
    this.#network.say(downloader, uploader, () => uploader.onWants(downloader, wants))
  }

  #askForPicked(
    downloader: Member,
    uploader: Member,
    link: Link,
    max: number,
    pick: () => number | undefined,
  ): void {
    while (link.asked.size < max && hasRoom(link)) {
      const index = pick()
      if (index === undefined) return
      this.#askFor(downloader, uploader, link, index)
    }
  }

  #askForAny(downloader: Member, uploader: Member, link: Link): void {
    link.open++
    const id = this.#requests++
    this.#network.say(downloader, uploader, () => {
      const take = (): number | undefined => uploader.demand.pickFor(downloader)
      uploader.order.add(downloader, { id, take })
      this.#serve(uploader)
    })
  }

  #askFor(downloader: Member, uploader: Member, link: Link, index: number): void {
    const id = this.#requests++
    link.asked.set(index, { id, sinceMs: this.#time.nowMs })
    this.#tellTaken(downloader, uploader, index)
    this.#network.say(downloader, uploader, () => {
      uploader.order.add(downloader, { id, take: () => index })
      uploader.demand.onTaken(downloader, index)
      this.#serve(uploader)
    })
  }

  /**
   * While a piece is being sent, the next is chosen and named to who gets it, who may say that it is
   * coming from elsewhere by now.
   */
  #serve(uploader: Member): void {
    if (uploader.isHung || !isAlive(uploader)) return
    const { ahead, order } = uploader
    const nowMs = this.#time.nowMs
    const leftMs = uploader.isSending ? uploader.sendingUntilMs - nowMs : 0
    const isSoon = leftMs <= chosenAheadMs
    const wantsMore = (): boolean => (isSoon && ahead.isEmpty) || ahead.wantsMore(leftMs, uploader.pieceMs)
    while (wantsMore()) {
      const turn = order.next(ahead.leadMs === 0 ? 2 : turnsOfPeerMax)
      if (turn === undefined) break
      const {
        line: { peer },
        load,
        id,
      } = turn
      const roundTripMs = 2 * uploader.latencyTo(peer)
      ahead.onTurn(roundTripMs)
      ahead.add(turn, roundTripMs, nowMs)
      this.#network.say(uploader, peer, () => this.#onBegun(peer, uploader, load, id))
    }
    if (uploader.isSending) return
    const next = ahead.next(nowMs) ?? ahead.next(Infinity)
    if (next !== undefined) this.#send(uploader, next)
  }

  #send(uploader: Member, turn: Turn<Member, number>): void {
    const { line, load: index } = turn
    const downloader = line.peer
    uploader.isSending = true
    uploader.sendingUntilMs = this.#time.nowMs + uploader.pieceMs
    this.#network.say(uploader, downloader, () => this.#onSending(downloader, uploader, index))
    this.#network.say(
      uploader,
      downloader,
      () => this.#receive(downloader, uploader, index),
      1,
      uploader.pieceMs,
    )
    const { life } = uploader
    this.#time.after(uploader.pieceMs, () => {
      if (uploader.life !== life || uploader.isHung) return
      uploader.isSending = false
      line.busy--
      this.#serve(uploader)
    })
    const leadMs = Math.max(chosenAheadMs, uploader.ahead.leadMs)
    this.#time.after(uploader.pieceMs - (leadMs % uploader.pieceMs), () => {
      if (uploader.life === life) this.#serve(uploader)
    })
  }

  #onSending(downloader: Member, uploader: Member, index: number): void {
    const link = downloader.links.get(uploader)
    const asked = link?.asked.get(index)
    if (asked === undefined) return
    asked.sinceMs = this.#time.nowMs
  }

  /** The line that says which piece follows. */
  #onBegun(downloader: Member, uploader: Member, index: number, id: number): void {
    const link = downloader.links.get(uploader)
    if (link === undefined) return
    const nowMs = this.#time.nowMs
    link.lastHeardAtMs = nowMs
    const asked = link.asked.get(index)
    if (asked?.id === id) {
      asked.sinceMs = nowMs
      return
    }
    link.open--
    if (!downloader.picker.isOnOffer(index)) {
      this.#cancel(downloader, uploader, { id }, index)
      if (link.asked.has(index)) return
      link.asked.set(index, { id, sinceMs: nowMs })
      this.#fill(downloader, uploader, link)
      return
    }
    link.asked.set(index, { id, sinceMs: nowMs })
    downloader.picker.onBegun(uploader.id, index, nowMs + (link.msPerTransfer ?? 0))
    this.#tellTaken(downloader, uploader, index)
    this.#fill(downloader, uploader, link)
  }

  /** The downloader takes a request back. What is being sent already comes all the same. */
  #cancel(downloader: Member, uploader: Member, { id }: { id: number }, index: number): void {
    this.#network.say(downloader, uploader, () => {
      if (!uploader.order.cancel(downloader, id) && !uploader.ahead.cancel(downloader, id)) return
      this.#network.say(uploader, downloader, () => {
        const link = downloader.links.get(uploader)
        if (link === undefined) return
        link.asked.delete(index)
        downloader.picker.onGivenUp(uploader.id, index)
        this.#fill(downloader, uploader, link)
      })
      this.#serve(uploader)
    })
  }

  #tellTaken(downloader: Member, from: Member, index: number): void {
    this.#network.messages += downloader.links.size
    this.#network.sayToAll(downloader, downloader.uploaders, (uploader) => {
      uploader.demand.onTaken(downloader, index)
      if (uploader === from) return
      if (uploader.ahead.onTaken(downloader, (load) => load === index)) this.#serve(uploader)
    })
  }

  #receive(downloader: Member, uploader: Member, index: number): void {
    const link = downloader.links.get(uploader)
    if (link === undefined || uploader.isHung) return
    const nowMs = this.#time.nowMs
    this.#deliveredPieces++
    const since = link.asked.get(index)?.sinceMs ?? nowMs
    link.asked.delete(index)
    link.msPerPiece = averagePace(link.msPerPiece, nowMs - Math.max(link.lastPieceAtMs, 0))
    link.msPerTransfer = averagePace(link.msPerTransfer, nowMs - since)
    link.lastPieceAtMs = nowMs
    link.lastHeardAtMs = nowMs
    downloader.picker.onPace(uploader.id, link.msPerPiece)
    const { life } = downloader
    this.#time.after(verifyMs, () => {
      if (downloader.life === life && !downloader.isHung) this.#verified(downloader, uploader, index)
    })
    this.#fill(downloader, uploader, link)
  }

  #verified(downloader: Member, uploader: Member, index: number): void {
    const { picker } = downloader
    if (picker.isMissing(index)) {
      downloader.have.set(index)
      for (const id of picker.onVerified(index)) {
        const other = this.#members[Number(id)]
        const asked = other === undefined ? undefined : downloader.links.get(other)?.asked.get(index)
        if (other !== undefined && asked !== undefined) this.#cancel(downloader, other, asked, index)
      }
      downloader.demand.onHave(index)
      downloader.order.lookAgain()
      this.#tellHave(downloader, index)
      this.#serve(downloader)
    } else {
      this.#wastedPieces++
    }
    picker.onGivenUp(uploader.id, index)
    if (downloader.have.isFull) this.#finish(downloader)
  }

  #finish(member: Member): void {
    if (member.finishedAtMs !== undefined) return
    member.finishedAtMs = this.#time.nowMs
    if (member.isAwaited) this.#unfinished--
    for (const uploader of member.links.keys()) uploader.dismiss(member)
    member.unlinkAll()
  }

  #tellHave(owner: Member, index: number): void {
    this.#network.sayToAll(owner, owner.downloaders, (other) => {
      const link = other.links.get(owner)
      // Who has said that it does not want the piece is not told.
      if (link === undefined || !owner.demand.mayWant(other, index)) return
      this.#network.messages++
      other.picker.onHave(owner.id, index)
      if (!link.chooses) this.#fill(other, owner, link)
    })
  }

  #die(member: Member): void {
    const losers = [...member.downloaders.values()].flatMap((members) => [...members])
    for (const uploader of member.links.keys()) uploader.dismiss(member)
    member.die()
    for (const loser of losers) {
      this.#time.after(member.latencyTo(loser), () => this.#lose(loser, member))
    }
  }

  /** The downloader has no connection to the uploader any more. */
  #lose(downloader: Member, uploader: Member): void {
    if (!downloader.unlink(uploader)) return
    uploader.dismiss(downloader)
    downloader.picker.onPeerGone(uploader.id)
    this.#fillAll(downloader)
  }

  /** Who hangs is given up when it has been silent for long though it owes something; others answer a ping. */
  #tick(): void {
    const nowMs = this.#time.nowMs
    for (const member of this.#members) {
      if (!isAlive(member)) continue
      for (const [other, link] of member.links) {
        if (!other.isHung) link.lastHeardAtMs = nowMs
        else if (isDoubtful(link.open + link.asked.size, nowMs - link.lastHeardAtMs - pingTimeoutMs))
          this.#lose(member, other)
      }
      const wantsAnew = member.picker.wantsAnew()
      for (const [to, link] of member.links) if (wantsAnew && link.chooses) this.#letChoose(member, to, link)
      this.#fillAll(member)
    }
    this.#time.after(tickMs, () => this.#tick())
  }
}

export function simulateSwarm(plan: SwarmPlan): SwarmResult {
  return new SwarmSimulation(plan).run()
}

function copyOf(field: Bitfield): Bitfield {
  return Bitfield.fromBytes(field.toBytes(), field.length) ?? new Bitfield(field.length)
}
