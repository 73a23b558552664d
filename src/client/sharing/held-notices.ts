// Notices that wait while something goes on that may make them needless.

export class HeldNotices {
  #underWay = 0
  readonly #unsaid: (() => void)[] = []

  /** What is to be said during this work is said at its end. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay++
    try {
      return await work()
    } finally {
      this.#underWay--
      if (this.#underWay === 0) for (const say of this.#unsaid.splice(0)) say()
    }
  }

  say(say: () => void): void {
    if (this.#underWay === 0) say()
    else this.#unsaid.push(say)
  }
}
