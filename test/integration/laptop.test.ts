// A laptop that fetches and shares while its address changes, while it sleeps, and while the router forgets it: on
// machines of their own, namespaces. Skipped where these cannot be made.

import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Machines } from './machines.ts'
import type { Program } from './programs.ts'
import { isSame, MiB, World } from './world.ts'

const [trackerHost, annHost, benHost, benElsewhere] = [10, 20, 30, 31].map((n) => `192.168.7.${n}`) as [
  string,
  string,
  string,
  string,
]
/** From the return of the network on. */
const goesOnWithinMs = 5_000
const listedWithinMs = 10_000
const film = 'film.bin'

const opened = Machines.open([trackerHost, annHost, benHost])
const why = 'why' in opened ? opened.why : whyNoRules(opened.machines)
/** As `npm test` says it at its end. */
const skipped = why === undefined ? '' : ` (skipped: ${why.replaceAll(/[()]/g, ' ')})`
let world: World
let ann: Program
let ben: Program

function whyNoRules(machines: Machines): string | undefined {
  try {
    machines.run(benHost, 'nft', 'list', 'ruleset')
    machines.run(benHost, 'ss', '-tnH')
    return undefined
  } catch (error) {
    return `nft and ss are needed: ${(error as Error).message}`
  }
}

afterAll(async () => {
  await world?.close()
  if ('machines' in opened) opened.machines.close()
})

describe.skipIf(skipped !== '')(`a laptop${skipped}`, () => {
  const { machines } = opened as { machines: Machines }

  function at(host: string, name: string, what: 'client' | 'tracker', words: readonly string[]): Program {
    const through = [...machines.at(host), process.execPath]
    return world.run(name, what, words, { through, home: world.path(name) })
  }

  async function client(host: string, name: string, list: string): Promise<Program> {
    const program = at(host, name, 'client', ['0.0.0.0:4444', list])
    await program.does(`create_user ${name} correct-horse-${name}`, `login ${name} correct-horse-${name}`)
    return program
  }

  beforeAll(async () => {
    world = new World()
    const tracker = at(trackerHost, 'tracker', 'tracker', [trackerHost, '9002'])
    const said = await tracker.until(/^for the list of trackers: /)
    const list = world.path('trackers.txt')
    writeFileSync(list, `${said.replace('for the list of trackers: ', '')}\n`)
    ;[ann, ben] = await Promise.all([client(annHost, 'ann', list), client(benHost, 'ben', list)])
    await world.group('family', ann, ben)
    // It lasts as long as all of this.
    await ann.does(`upload_file ${world.makeFile(film, 96 * MiB)} family`, 'limit upload 4MiB/s')
    await ben.does(`download_file family ${film} ${world.makeFolder('fetched')}`)
    await ben.untilPieces(1)
  })

  /** The ports of this end of all connections that the laptop has opened. */
  function portsInUse(): string[] {
    const lines = machines.run(benHost, 'ss', '-tnH', 'state', 'established').trim().split('\n')
    return lines
      .map((line) => line.trim().split(/\s+/)[2]?.split(':').at(-1) ?? '')
      .filter((at) => at !== '4444')
  }

  /** What comes to the laptop over these connections, or leaves it, is met so; new ones are not concerned. */
  function meetOldConnections(rules: Readonly<Record<'input' | 'output', string | undefined>>): void {
    const ports = `{ ${portsInUse().join(', ')} }`
    const chain = (hook: string, port: string, verdict = 'accept'): string =>
      `chain ${hook} { type filter hook ${hook} priority 0; tcp ${port} ${ports} ${verdict}; };`
    const chains = [chain('input', 'dport', rules.input), chain('output', 'sport', rules.output)]
    machines.run(benHost, 'nft', `table ip router { ${chains.join(' ')} }`)
  }

  async function share(name: string, sizeBytes = MiB): Promise<void> {
    await ben.does(`upload_file ${world.makeFile(name, sizeBytes)} family`)
  }

  /** When the download of the one or the other has gone on, in milliseconds from then. */
  async function goesOn(fromMs: number, who = ben, name = film): Promise<number> {
    const { done } = await who.progress(name)
    // One may have been on its way.
    await who.untilPieces(done + 2)
    return performance.now() - fromMs
  }

  /** When another machine has fetched what the laptop shares, likewise. */
  async function isFetched(name: string, fromMs: number): Promise<number> {
    const since = ann.mark()
    await ann.does(`download_file family ${name} ${world.makeFolder('to-ann')}`)
    await ann.until(`[C] [family] ${name}`, since)
    return performance.now() - fromMs
  }

  test('goes on when its address changes, as does what others fetch from it, and is found at the new one', async () => {
    await ben.does('limit upload 4MiB/s')
    await share('d.bin', 32 * MiB)
    await share('a.bin')
    await ann.does(`download_file family d.bin ${world.makeFolder('to-ann')}`)
    await ann.untilPieces(1)
    machines.run(benHost, 'ip', 'addr', 'del', `${benHost}/24`, 'dev', 'eth0')
    machines.run(benHost, 'ip', 'addr', 'add', `${benElsewhere}/24`, 'dev', 'eth0')
    const fromMs = performance.now()
    const wentOn = await Promise.all([goesOn(fromMs), goesOn(fromMs, ann, 'd.bin')])
    expect(Math.max(...wentOn)).toBeLessThan(goesOnWithinMs)
    await ann.does('cancel_download family d.bin')
    expect(await isFetched('a.bin', fromMs)).toBeLessThan(listedWithinMs)
    // The connection from the old address ends there too, and keeps nothing that was promised to it.
    await vi.waitFor(
      async () => {
        const uploads = await ann.ask('show_uploads')
        expect(uploads).toEqual([expect.stringContaining(`ben@${benElsewhere}`)])
      },
      { timeout: listedWithinMs },
    )
  })

  test('goes on when it slept until the others took it for gone', async () => {
    await share('b.bin')
    ben.freeze()
    meetOldConnections({ input: 'reject with tcp reset', output: undefined })
    await ann.askUntil('show_uploads', 'nobody fetches anything from you')
    machines.run(benHost, 'nft', 'delete table ip router')
    ben.process.kill('SIGCONT')
    const fromMs = performance.now()
    expect(await goesOn(fromMs)).toBeLessThan(goesOnWithinMs)
    expect(await isFetched('b.bin', fromMs)).toBeLessThan(listedWithinMs)
  })

  test('goes on when a router has forgotten its connections', async () => {
    await share('c.bin')
    meetOldConnections({ input: 'drop', output: 'drop' })
    const fromMs = performance.now()
    expect(await goesOn(fromMs)).toBeLessThan(goesOnWithinMs)
    expect(await isFetched('c.bin', fromMs)).toBeLessThan(listedWithinMs)
    machines.run(benHost, 'nft', 'delete table ip router')
  })

  test('has the whole file in the end', async () => {
    await ann.does('limit upload none')
    await ben.until(`[C] [family] ${film}`)
    expect(isSame(world.path('fetched', film), world.path(film))).toBe(true)
  })
})
