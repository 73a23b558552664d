// A peer of the upload queue that writes down what reaches it, and takes bytes when the test says so.

import type { UploadPeer } from '../../../src/client/sharing/answering.ts'
import type { Answer } from '../../../src/common/refusal.ts'

export class FakePeer implements UploadPeer {
  readonly name: string
  readonly owner: string
  roundTrip = { ms: 0 }
  isGone = false
  /** Told when it leaves. */
  onGone: () => void = () => undefined
  /** A peer that does not read: what is sent to it is not taken until `read`. */
  readsAtOnce = true
  /** Ids of the answers that reached it whole, in order. */
  readonly got: number[] = []
  readonly refused: { id: number; code: string }[] = []
  /** What it was told of choices that were left to the queue. */
  readonly chosen: { id: number; index: number }[] = []
  /** What broke the order of one whole answer after the other. */
  readonly broken: string[] = []
  #answer: { id: number; owedBytes: number } | undefined
  #unread: (() => void)[] = []
  readonly #onWhole: (peer: FakePeer, id: number) => void

  /** Its user has the same name, unless it is one of several. */
  constructor(
    name: string,
    onWhole: (peer: FakePeer, id: number) => void = () => undefined,
    owner: string = name,
  ) {
    this.name = name
    this.owner = owner
    this.#onWhole = onWhole
  }

  /** The answer that has begun and has not ended. */
  get receiving(): number | undefined {
    return this.#answer?.id
  }

  tellChosen(id: number, index: number): void {
    this.chosen.push({ id, index })
  }

  begin(id: number, _index: number | undefined, bytes: number): void {
    if (this.#answer !== undefined) this.broken.push(`answer ${id} begins inside answer ${this.#answer.id}`)
    this.#answer = { id, owedBytes: bytes }
  }

  async send(bytes: Uint8Array): Promise<void> {
    const answer = this.#answer
    if (answer === undefined) {
      this.broken.push('bytes without an answer')
      return
    }
    // Every byte of an answer says whose it is.
    if (bytes.some((byte) => byte !== answer.id % 256)) this.broken.push(`foreign bytes in ${answer.id}`)
    answer.owedBytes -= bytes.length
    if (!this.readsAtOnce) await new Promise<void>((taken) => this.#unread.push(taken))
    if (answer.owedBytes > 0) return
    this.#answer = undefined
    this.got.push(answer.id)
    this.#onWhole(this, answer.id)
  }

  refuse(id: number, answer: Answer<never>): void {
    if (!answer.ok) this.refused.push({ id, code: answer.refusal.code })
  }

  /** Takes what was sent so far, and whatever comes, at once. */
  read(): void {
    this.readsAtOnce = true
    for (const taken of this.#unread.splice(0)) taken()
  }

  /** Takes what was sent so far, and no more. */
  takeSome(): void {
    for (const taken of this.#unread.splice(0)) taken()
  }

  close(): void {
    this.leave()
  }

  leave(): void {
    this.isGone = true
    this.onGone()
    this.read()
  }
}
