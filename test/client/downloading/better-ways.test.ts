// A better way than a relay: when it is tried, what becomes of it, and which are not wanted any more.

import { expect, test, vi } from 'vitest'
import { BetterWays } from '../../../src/client/downloading/better-ways.ts'
import { newContact, type Contact } from '../../../src/client/downloading/contact.ts'
import { PeerLanes } from '../../../src/client/downloading/peer-lanes.ts'
import type { SwarmNetwork } from '../../../src/client/downloading/swarm-parts.ts'
import type { Way } from '../../../src/client/way.ts'
import { Failure } from '../../../src/common/failure.ts'
import { refuse } from '../../../src/common/refusal.ts'
import { FakeLink } from './fake-link.ts'

/** A swarm of which each peer may be tried at any time; each attempt ends as the test says. */
class Trying {
  readonly linked = new Set<Contact>()
  readonly outcomes: string[] = []
  readonly moved: string[] = []
  readonly triedAt: string[] = []
  readonly freed: string[] = []
  open = (): Promise<FakeLink | undefined> => Promise.resolve(undefined)
  readonly ways = new BetterWays(
    {
      network: {
        turns: { run: (connect: () => Promise<unknown>) => connect() },
        retries: {
          take: (key: string) => ({
            onOpened: () => this.outcomes.push(`${key} opened`),
            onFailed: () => this.outcomes.push(`${key} failed`),
          }),
          onFree: (key: string) => this.freed.push(key),
        },
      } as unknown as SwarmNetwork,
      fileId: 'f',
      ticket: () => 't',
      linked: this.linked,
      onMoved: ({ key }) => this.moved.push(key),
    },
    async (_network, { peer }) => {
      this.triedAt.push(peer.host)
      return (await this.open())?.asLink
    },
  )

  connect(key: string, way: Way): { contact: Contact; link: FakeLink } {
    const peer = { user: key, key, host: '198.51.100.2', port: 1, complete: true }
    const contact = newContact(peer)
    contact.addresses.push({ ...peer, host: '198.51.100.3' })
    const link = new FakeLink(50, way)
    contact.link = new PeerLanes(link.asLink)
    contact.link.use({ onHave: () => {}, onChosen: () => {}, onClosed: () => {} })
    this.linked.add(contact)
    return { contact, link }
  }

  /** Looks once, and waits for what comes of it. */
  async look(count: number): Promise<void> {
    this.outcomes.length = 0
    this.ways.look(0)
    await vi.waitUntil(() => this.outcomes.length === count)
  }
}

test('only a peer that is reached by a relay is tried, and it is asked by the better way from then on', async () => {
  const trying = new Trying()
  const [relayed] = (['relayed', 'direct', 'punched'] as const).map((way) => trying.connect(way, way))
  const better = new FakeLink(50, 'direct')
  trying.open = () => Promise.resolve(better)
  await trying.look(1)
  expect([trying.outcomes, trying.moved]).toEqual([['relayed opened'], ['relayed']])
  await trying.look(0)
  expect([relayed?.contact.link?.route.way, relayed?.link.closedBecause]).toEqual([
    'direct',
    'there is a better way',
  ])
  expect(better.closedBecause).toBeUndefined()
})

test('where nothing opens, or the peer refuses, the relay stays, and the next address is tried next', async () => {
  const trying = new Trying()
  const { contact, link } = trying.connect('ben', 'relayed')
  trying.open = () => Promise.reject(new Failure('timeout', 'it does not answer'))
  await trying.look(1)
  const refusing = new FakeLink(50, 'direct')
  refusing.opened = refuse('not-shared', 'no more')
  trying.open = () => Promise.resolve(refusing)
  await trying.look(1)
  await trying.look(1)
  expect(trying.triedAt).toEqual(['198.51.100.2', '198.51.100.3', '198.51.100.2'])
  expect([trying.moved, contact.link?.route.way, link.closedBecause]).toEqual([[], 'relayed', undefined])
})

test.each([
  ['the relay has ended meanwhile', (_trying: Trying, contact: Contact) => (contact.link = undefined)],
  ['the download has stopped meanwhile', (trying: Trying) => trying.ways.stop()],
])('a way that opens when %s is closed', async (_title, happen) => {
  const trying = new Trying()
  const { contact } = trying.connect('ben', 'relayed')
  const better = new FakeLink(50, 'direct')
  let come = (_link: FakeLink): void => undefined
  trying.open = () => new Promise((resolve) => (come = resolve))
  trying.ways.look(0)
  await vi.waitFor(() => expect(trying.triedAt).toHaveLength(1))
  happen(trying, contact)
  come(better)
  await vi.waitFor(() => expect(trying.outcomes).toEqual(['ben failed']))
  expect([better.closedBecause, trying.moved]).toEqual(['not needed', []])
})

test('a download that stops tells that the one punched connection with a peer is free', () => {
  const trying = new Trying()
  for (const way of ['relayed', 'direct', 'punched'] as const) trying.connect(way, way)
  trying.ways.stop()
  expect(trying.freed).toEqual(['punched'])
})
