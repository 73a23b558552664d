// Samples what a tracker takes from its machine, every few seconds.

import type { ServerProcess } from '../tracker/server-process.ts'

export interface Sample {
  /** Since the first sample, in seconds. */
  readonly atS: number
  readonly residentBytes: number
  /** Of V8's heap, garbage included; undefined where the tracker does not tell. */
  readonly heapBytes: number | undefined
  readonly descriptors: number
}

export class Samples {
  readonly taken: Sample[] = []
  readonly #tracker: ServerProcess
  readonly #startedAtMs = performance.now()
  readonly #timer: NodeJS.Timeout
  readonly #onSample: (sample: Sample) => void
  #problem: Error | undefined

  constructor(tracker: ServerProcess, everyMs: number, onSample: (sample: Sample) => void = () => undefined) {
    this.#tracker = tracker
    this.#onSample = onSample
    this.#timer = setInterval(() => void this.#take(), everyMs)
    void this.#take()
  }

  /** Takes a last sample. Throws what went wrong with any. */
  async end(): Promise<readonly Sample[]> {
    clearInterval(this.#timer)
    await this.#take()
    if (this.#problem !== undefined) throw this.#problem
    return this.taken
  }

  async #take(): Promise<void> {
    try {
      const atS = (performance.now() - this.#startedAtMs) / 1000
      const { residentBytes, descriptors } = this.#tracker
      const sample = { atS, residentBytes, descriptors, heapBytes: await heapBytesOf(this.#tracker) }
      this.taken.push(sample)
      this.#onSample(sample)
    } catch (error) {
      this.#problem ??= error instanceof Error ? error : new Error(String(error))
    }
  }
}

async function heapBytesOf({ metricsPort }: ServerProcess): Promise<number | undefined> {
  if (metricsPort === undefined) return undefined
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  const found = /^nodejs_heap_size_used_bytes (\d+)$/m.exec(text)
  return found === null ? undefined : Number(found[1])
}

/** The mean of one column over a part of the time, given as shares of the whole: (0.25, 0.5) is the second quarter. */
export function meanOf(samples: readonly Sample[], column: keyof Sample, from: number, to: number): number {
  const endS = samples.at(-1)?.atS ?? 0
  const values = samples
    .filter(({ atS }) => atS >= from * endS && atS <= to * endS)
    .map((sample) => sample[column] ?? 0)
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

/** How much a column grows in an hour, by the line that fits the second half of the time best. */
export function growthAnHour(samples: readonly Sample[], column: keyof Sample): number {
  const middleS = (samples.at(-1)?.atS ?? 0) / 2
  const half = samples.filter(({ atS }) => atS >= middleS)
  const meanS = half.reduce((sum, { atS }) => sum + atS, 0) / half.length
  const mean = half.reduce((sum, sample) => sum + (sample[column] ?? 0), 0) / half.length
  const [above, below] = half.reduce(
    ([a, b], sample) => {
      const s = sample.atS - meanS
      return [a + s * ((sample[column] ?? 0) - mean), b + s * s]
    },
    [0, 0],
  )
  return below === 0 ? 0 : (above / below) * 3600
}
