// Members at homes of different kinds reach each other by the best way that their routers allow: the lab in short, with the
// real programs. Skipped where no namespaces can be made.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Community, group, MiB } from '../../bench/lab/community.ts'
import { Internet, memberPort, sites, trackerHost, trackerPort } from '../../bench/lab/internet.ts'
import { fetchFile, wayIn, type Fetched, type Member, type Said } from '../../bench/lab/member.ts'
import { whyNoLab } from '../../bench/lab/needs.ts'

const relayWords = ['--relay', '100M']
const patience = { firstSeconds: 20, seconds: 20 }
const why = whyNoLab()
/** As `npm test` says it at its end. */
const skipped = why === undefined ? '' : ` (skipped: ${why.replaceAll(/[()]/g, ' ')})`

describe.skipIf(skipped !== '')(`members behind routers${skipped}`, () => {
  let internet: Internet
  let community: Community
  const members = new Map<string, Member>()

  function memberAt(name: string): Member {
    const member = members.get(name)
    if (member === undefined) throw new Error(`nobody is at ${name}`)
    return member
  }

  beforeAll(async () => {
    const needed = sites.filter(({ name }) => name !== 'office')
    internet = await Internet.open({ sites: needed })
    community = new Community(internet)
    await community.startTracker('tracker', trackerHost, trackerPort, relayWords)
    const start = async ({ name, host }: { name: string; host: string }): Promise<void> => {
      const words = name === 'forwarding' ? relayWords : []
      members.set(name, await community.startMember(name, `${host}:${memberPort}`, words))
    }
    const [owner, ...others] = needed.flatMap((site) => site.members)
    if (owner !== undefined) await start(owner)
    await Promise.all(others.map(start))
  })

  afterAll(async () => {
    await community?.close()
    await internet?.close()
  })

  async function fetchBetween(from: string, to: string): Promise<Fetched> {
    const name = `of-${from}-for-${to}`
    const original = community.makeFile(name, 2 * MiB)
    const copy = community.path(`${name}-fetched`)
    await memberAt(from).does(`upload_file ${original} ${group}`)
    const fetched = await fetchFile(memberAt(to), group, name, copy, patience)
    expect(readFileSync(copy).equals(readFileSync(original))).toBe(true)
    return fetched
  }

  test.concurrent.each([
    ['two homes that let in only what they asked for dial each other at once', 'home2', 'home1', ['punched']],
    ['two members of one network come to each other there', 'lan2', 'lan1', ['lan']],
    ['a forwarded port is dialled', 'forwarding', 'home1', ['direct']],
    ['whoever forwards a port is come to', 'home1', 'forwarding', ['called-back', 'punched']],
  ])('%s', async (_title, from, to, ways) => {
    const { way } = await fetchBetween(from, to)
    expect(ways).toContain(way)
  })

  test.concurrent(
    'the tracker forwards where a router has another port for everybody, and why tells why',
    async () => {
      const [from, to, name] = [memberAt('home1'), memberAt('symmetric'), 'slow']
      // So slow that there is something to ask about.
      await to.does('limit download 1MiB/s')
      await from.does(`upload_file ${community.makeFile(name, 2 * MiB)} ${group}`)
      const fetching = fetchFile(to, group, name, community.path('slow-fetched'), patience)
      const roundabout = await vi.waitFor(async () => {
        const found = rowsIn(await to.ask(`why ${group} ${name}`), 'code', 'roundabout')
        expect(found).toHaveLength(1)
        return found[0]
      }, patience.seconds * 1000)
      expect(roundabout).toMatchObject({ way: 'relayed' })
      expect(String(roundabout?.['sentence'])).toMatch(/home1 is relayed: .* has not answered/)
      await to.does('limit download none')
      expect(await fetching).toMatchObject({ way: 'relayed', isWhole: true })
    },
  )

  test.concurrent.each([
    ['a home cannot be come to', 'home1', 'warning', 'nobody answers'],
    ['a home that forwards the port can', 'forwarding', 'ok', 'came here from outside'],
  ])('doctor says that %s', async (_title, name, state, words) => {
    await vi.waitFor(async () => {
      const [reach] = rowsIn(await memberAt(name).ask('doctor'), 'check', 'reach')
      expect(reach).toMatchObject({ state })
      expect(String(reach?.['sentence'])).toContain(words)
    }, patience.seconds * 1000)
  })

  test('what is relayed goes directly once a firewall between the two lets it, and nothing more is forwarded', async () => {
    const [from, to, name] = [memberAt('forwarding'), memberAt('home1'), 'freed']
    const openAgain = internet.cut('forwarding', 'home1')
    await to.does('limit download 1MiB/s')
    const size = 20 * MiB
    const original = community.makeFile(name, size)
    await from.does(`upload_file ${original} ${group}`)
    const sentBefore = internet.bytesAt('forwarding').sent
    const fetching = fetchFile(to, group, name, community.path('freed-fetched'), { ...patience, seconds: 60 })
    await untilWay(to, name, 'relayed')
    openAgain()
    // The client notices, and tries again soon.
    internet.addAddress('home1', '192.168.1.99')
    await untilWay(to, name, 'direct')
    const forwardedBefore = await untilNothingIsForwarded()
    await to.does('limit download none')
    expect(await fetching).toMatchObject({ way: 'direct', isWhole: true })
    expect(readFileSync(community.path('freed-fetched')).equals(readFileSync(original))).toBe(true)
    expect(internet.bytesAt('tracker').sent - forwardedBefore).toBeLessThan(MiB / 2)
    // Besides the heads of packets: less than two pieces.
    expect(internet.bytesAt('forwarding').sent - sentBefore).toBeLessThan(1.05 * size)
  })

  test('the second file of a peer is relayed beside the first, and has the punched way when that is done', async () => {
    const [from, to, names] = [memberAt('home2'), memberAt('home1'), ['one', 'another']]
    await to.does('limit download 2MiB/s')
    const fetching: Promise<Fetched>[] = []
    for (const [at, name] of names.entries()) {
      await from.does(`upload_file ${community.makeFile(name, (at === 0 ? 24 : 60) * MiB)} ${group}`)
      fetching.push(
        fetchFile(to, group, name, community.path(`${name}-fetched`), { ...patience, seconds: 60 }),
      )
      await untilWay(to, name, at === 0 ? 'punched' : 'relayed')
    }
    expect(await fetching[0]).toMatchObject({ way: 'punched', isWhole: true })
    await untilWay(to, 'another', 'punched')
    await to.does('limit download none')
    expect(await fetching[1]).toMatchObject({ way: 'punched', isWhole: true })
  })

  /** What the relay had begun to bring has come, while the download goes on; the bytes that its machine has sent by then. */
  async function untilNothingIsForwarded(): Promise<number> {
    let sent = 0
    const look = (): void => {
      const before = sent
      sent = internet.bytesAt('tracker').sent
      // It would be 25 times as much.
      expect(sent - before).toBeLessThan(20_000)
    }
    await vi.waitFor(look, { timeout: patience.seconds * 1000, interval: 500 })
    return sent
  }

  async function untilWay(member: Member, name: string, way: string): Promise<void> {
    await vi.waitFor(async () => {
      const row = rowsIn(await member.ask('show_downloads'), 'name', name)
      expect(wayIn(row)).toBe(way)
    }, patience.seconds * 1000)
  }

  test('a member who offers it forwards on when a tracker that did is killed, and is started again without', async () => {
    const [from, to, name] = [memberAt('home1'), memberAt('symmetric'), 'long']
    await to.does('limit download 2MiB/s')
    const original = community.makeFile(name, 6 * MiB)
    await from.does(`upload_file ${original} ${group}`)
    const sentBefore = internet.bytesAt('forwarding').sent
    let restarted: Promise<void> | undefined
    const fetched = await fetchFile(to, group, name, community.path('long-fetched'), {
      ...patience,
      onProgress: (bytes) => {
        if (bytes > MiB) restarted ??= restartTracker()
      },
    })
    await restarted
    expect(fetched).toMatchObject({ way: 'relayed', isWhole: true })
    expect(readFileSync(community.path('long-fetched')).equals(readFileSync(original))).toBe(true)
    expect(internet.bytesAt('forwarding').sent - sentBefore).toBeGreaterThan(2 * MiB)
  })

  async function restartTracker(): Promise<void> {
    await community.killTracker()
    await community.startTracker('tracker', trackerHost, trackerPort)
  }
})

/** The objects in a reply, however deep, that have this value. */
function rowsIn(said: unknown, key: string, value: string): Said[] {
  if (typeof said !== 'object' || said === null) return []
  const own = (said as Said)[key] === value ? [said as Said] : []
  return [...own, ...Object.values(said).flatMap((each) => rowsIn(each, key, value))]
}
