// npm run bench:completion
// Measures how long a Tab takes with 10,000 entries known in a group (bound: 30 ms): from the key until the next one can be
// typed, at the prompt itself, over a client that is not there; the median of 50. Also before the listing has come, which no
// Tab waits for.

import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { runPrompt } from '../src/client/prompt/prompt.ts'
import { accept } from '../src/common/refusal.ts'
import { fakeClient } from '../test/client/prompt/fake-operations.ts'
import { percentile } from './arena.ts'

const entries = 10_000
const runs = 50
const boundMs = 30

const ctrlA = '\u0001'
const ctrlK = '\u000B'
const ctrlD = '\u0004'
const backspace = '\u007F'
/** Typed behind the keys: it is drawn when they are done. */
const mark = '#'

interface Case {
  readonly what: string
  readonly typed: string
  readonly tabs: number
  /** Drawn by the Tab; undefined for nothing. */
  readonly drawn: RegExp | undefined
}

const cases: readonly Case[] = [
  {
    what: 'one of them, by all but its end',
    typed: 'download_file family holiday-09999',
    tabs: 1,
    drawn: /\.jpg /,
  },
  {
    what: 'what all begin with',
    typed: 'download_file family h',
    tabs: 1,
    drawn: /oliday-/,
  },
  {
    what: 'a list of the first 200, by a second Tab',
    typed: 'download_file family holiday-',
    tabs: 2,
    drawn: /holiday-00199\.jpg/,
  },
  { what: 'none of them', typed: 'download_file family nothing', tabs: 2, drawn: undefined },
]

class Person {
  readonly #input = new PassThrough()
  readonly #ended: Promise<unknown>
  readonly #output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      this.drawn += chunk.toString()
      this.#output.emit('drawn')
      done()
    },
  })
  drawn = ''

  /** Before the prompt of a user with one group, whose files are listed when `listed` resolves. */
  constructor(listed: Promise<void>) {
    const { answers, operations, subscribe } = fakeClient()
    const files = Array.from({ length: entries }, (_, index) => ({
      name: `holiday-${String(index).padStart(5, '0')}.jpg`,
      sizeBytes: 1,
      seeders: 1,
    }))
    Object.assign(answers, {
      whoami: () => 'ann',
      listGroups: async () => accept([{ group: 'family', owner: 'ann', members: 1, standing: 'member' }]),
      listFiles: async () => {
        await listed
        return accept(files)
      },
    })
    const output = Object.assign(this.#output, { columns: 100, rows: 40 })
    this.#ended = runPrompt({
      operations,
      subscribe,
      input: this.#input,
      output,
      isTerminal: true,
      linger: false,
    })
  }

  /** Milliseconds until these keys are done, each a chunk of its own, as from a keyboard. */
  async press(...keys: readonly string[]): Promise<number> {
    this.drawn = ''
    const startedAtMs = performance.now()
    for (const key of [...keys, mark]) this.#input.write(key)
    while (!this.drawn.includes(mark)) await once(this.#output, 'drawn')
    const tookMs = performance.now() - startedAtMs
    this.#input.write(backspace)
    return tookMs
  }

  async leave(): Promise<void> {
    await this.press(ctrlA, ctrlK)
    this.#input.write(ctrlD)
    await this.#ended
  }
}

/** Milliseconds, sorted. */
async function timesMs(person: Person, { what, typed, tabs, drawn }: Case): Promise<number[]> {
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    await person.press(ctrlA, ctrlK, typed)
    times.push(await person.press(...Array<string>(tabs).fill('\t')))
    if (drawn !== undefined && !drawn.test(person.drawn)) throw new Error(`${what}: ${person.drawn}`)
  }
  return times.sort((one, other) => one - other)
}

let isOver = false
function report(what: string, times: readonly number[]): void {
  const [median, most] = [percentile(times, 0.5), times.at(-1) ?? 0]
  isOver ||= median > boundMs
  const verdict = median > boundMs ? 'OVER' : 'within'
  const figures = `${median.toFixed(1)} ms a completion, at most ${most.toFixed(1)} ms`
  console.log(`${what.padEnd(42)} ${figures} (${verdict} ${boundMs} ms)`)
}

// At a dumb terminal there is nothing to complete.
process.env['TERM'] = 'xterm'
console.log(`Tab with ${entries} entries known in a group, ${runs} times each`)
const known = new Person(Promise.resolve())
// They are asked for by the first Tabs.
await known.press('list_files ', '\t')
await known.press('family ', '\t')
await setTimeout(100)
for (const each of cases) report(each.what, await timesMs(known, each))
await known.leave()

let list = (): void => undefined
const fetching = new Person(new Promise((resolve) => (list = resolve)))
await fetching.press('list_files ', '\t')
report(
  'before the listing has come',
  await timesMs(fetching, {
    what: 'nothing yet',
    typed: 'download_file family holiday-09999',
    tabs: 1,
    drawn: undefined,
  }),
)
list()
await fetching.leave()
if (isOver) process.exitCode = 1
