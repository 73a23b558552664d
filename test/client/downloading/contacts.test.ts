import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConnectTurns } from '../../../src/client/downloading/connect-turns.ts'
import type { Contact } from '../../../src/client/downloading/contact.ts'
import { Contacts, type Misdeed } from '../../../src/client/downloading/contacts.ts'
import { PeerNotes } from '../../../src/client/downloading/peer-notes.ts'
import type { PeerLanes } from '../../../src/client/downloading/peer-lanes.ts'
import { Failure } from '../../../src/common/failure.ts'
import { peersPerFileMax } from '../../../src/common/limits.ts'
import type { NetworkChange } from '../../../src/client/network/network-watch.ts'
import type { Peer } from '../../../src/common/protocol/tracker-protocol.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => {
  vi.useRealTimers()
})

function peer(user: string, key = user, host = '127.0.0.1'): Peer {
  return { user, key, host, port: 4000, complete: true }
}

/** A change of the network when the test says so. */
class Changes {
  #listener: () => void = () => undefined

  subscribe(listener: (change: NetworkChange) => void): () => void {
    this.#listener = () => listener({ come: new Set(), gone: new Set(), woke: true })
    return () => void (this.#listener = () => undefined)
  }

  happen(): void {
    this.#listener()
  }
}

/** Where each contact was tried, in order; a try goes as the test says. */
class Tries {
  readonly at: string[] = []
  readonly misdeeds: Misdeed[] = []
  readonly closed: string[] = []
  othersGive = true
  outcome: (contact: Contact) => Promise<void> = () => Promise.resolve()
  readonly changes = new Changes()
  readonly contacts: Contacts = new Contacts({
    ownKey: 'me',
    turns: new ConnectTurns(),
    changes: this.changes,
    notes: new PeerNotes('me'),
    open: (contact) => {
      this.at.push(`${contact.user} ${contact.addresses[0]?.host}`)
      return this.outcome(contact)
    },
    wantsMore: () => true,
    othersGive: () => this.othersGive,
    onMisbehaved: (misdeed) => this.misdeeds.push(misdeed),
  })

  /** From now on each try leads to a connection. */
  succeed(): void {
    this.outcome = (contact) => {
      const link = { name: contact.user, close: () => this.closed.push(contact.user) }
      contact.link = link as unknown as PeerLanes
      this.contacts.onLinked(contact)
      return Promise.resolve()
    }
  }

  fail(): void {
    this.outcome = () => Promise.reject(new Failure('connection-lost', 'no'))
  }

  find(key: string): Contact {
    const contact = this.contacts.find(key)
    if (contact === undefined) throw new Error(`${key} is not known`)
    return contact
  }

  async settle(ms = 0): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms)
  }
}

// Sixteen peers that hung held all places to connect, for as long as the system tries.
test('sixteen peers that hang keep the next one waiting for a second, and not longer', async () => {
  const tries = new Tries()
  tries.outcome = ({ user }) => (user.startsWith('hangs') ? new Promise(() => undefined) : Promise.resolve())
  tries.contacts.onPeers(Array.from({ length: 16 }, (_, index) => peer(`hangs-${index}`)))
  tries.contacts.onPeers([peer('good')])
  await tries.settle(900)
  expect(tries.at).not.toContain('good 127.0.0.1')
  await tries.settle(200)
  expect(tries.at).toContain('good 127.0.0.1')
})

describe('a peer that two trackers see under two addresses', () => {
  test('keeps its connection, whichever of them speaks', async () => {
    const tries = new Tries()
    tries.succeed()
    tries.contacts.onPeers([peer('ann', 'ann', '10.0.0.1')])
    await tries.settle()
    for (let word = 0; word < 5; word++) {
      tries.contacts.onPeers([peer('ann', 'ann', '192.168.0.1')])
      tries.contacts.onPeers([peer('ann', 'ann', '10.0.0.1')])
      await tries.settle(1000)
    }
    expect(tries.at).toEqual(['ann 10.0.0.1'])
    expect(tries.closed).toEqual([])
  })

  test('is tried at the other one when the first does not lead to it', async () => {
    const tries = new Tries()
    tries.fail()
    tries.contacts.onPeers([peer('ann', 'ann', '192.168.0.1'), peer('ann', 'ann', '10.0.0.1')])
    await tries.settle(3000)
    expect(new Set(tries.at)).toEqual(new Set(['ann 10.0.0.1', 'ann 192.168.0.1']))
    tries.contacts.stop()
  })
})

test('one user with many peers does not keep another from a connection', async () => {
  const tries = new Tries()
  tries.succeed()
  tries.contacts.onPeers(Array.from({ length: 200 }, (_, index) => peer('many', `many-${index}`)))
  tries.contacts.onPeers([peer('one')])
  await tries.settle(10)
  // Its places are all taken by then, but for those whose turn was still to come.
  expect(tries.at.indexOf('one 127.0.0.1')).toBeGreaterThanOrEqual(0)
  expect(tries.at.indexOf('one 127.0.0.1')).toBeLessThanOrEqual(16)
  expect(tries.contacts.linked.size).toBe(peersPerFileMax)
})

test('peers of one user beyond all bounds make room for another user', () => {
  const tries = new Tries()
  tries.outcome = () => new Promise(() => undefined)
  tries.contacts.onPeers(Array.from({ length: 5000 }, (_, index) => peer('many', `many-${index}`)))
  expect(tries.contacts.find('many-4999')).toBeUndefined()
  tries.contacts.onPeers([peer('one')])
  expect(tries.find('one').user).toBe('one')
})

// Peers that sent one quick piece and then dripped kept an honest one, which needs 6 s a piece, from its first.
test('of all that are connected a late one makes room first, and none that is sending its first piece', async () => {
  const tries = new Tries()
  tries.succeed()
  const users = Array.from({ length: peersPerFileMax + 1 }, (_, index) => `user-${index}`)
  tries.contacts.onPeers(users.map((user) => peer(user)))
  await tries.settle()
  for (const { link } of tries.contacts.linked)
    Object.assign(link ?? {}, { msPerPiece: 50, receivedBytes: 1 })
  Object.assign(tries.find('user-0').link ?? {}, { msPerPiece: undefined })
  Object.assign(tries.find('user-7').link ?? {}, { msPerPiece: 40 })
  tries.find('user-7').share = { user: 'user-7', count: 1, isLate: true }
  await tries.settle(6000)
  tries.contacts.rotate(performance.now())
  expect(tries.closed).toEqual(['user-7'])
  tries.contacts.stop()
})

describe('a peer that was put aside', () => {
  async function putAside(): Promise<Tries> {
    const tries = new Tries()
    tries.succeed()
    tries.contacts.onPeers([peer('holder')])
    await tries.settle()
    const contact = tries.find('holder')
    tries.contacts.putAside(contact, 'holds back pieces of')
    contact.link = undefined
    tries.contacts.onUnlinked(contact)
    return tries
  }

  test('is named, and nobody brings it back before its time while others give', async () => {
    const tries = await putAside()
    expect(tries.misdeeds).toEqual([
      { peer: 'holder', did: 'holds back pieces of', why: undefined, againInMs: 30_000 },
    ])
    tries.contacts.onPeersLeft(['holder'])
    tries.contacts.onPeers([peer('holder')])
    await tries.settle(29_000)
    expect(tries.at).toHaveLength(1)
    await tries.settle(1100)
    expect(tries.at).toHaveLength(2)
  })

  test('is tried at the next news of it when nobody else gives', async () => {
    const tries = await putAside()
    tries.othersGive = false
    tries.contacts.onPeers([peer('holder')])
    await tries.settle()
    expect(tries.at).toHaveLength(2)
  })
})

test('a peer that lied is named once and never tried again, though it leaves and comes back', async () => {
  const tries = new Tries()
  tries.succeed()
  tries.contacts.onPeers([peer('liar')])
  await tries.settle()
  const contact = tries.find('liar')
  tries.contacts.ban(contact, 'sent a bad piece 3 of')
  tries.contacts.ban(contact, 'sent a bad piece 4 of')
  contact.link = undefined
  tries.contacts.onUnlinked(contact)
  tries.contacts.onPeersLeft(['liar'])
  tries.contacts.onPeers([peer('liar')])
  tries.othersGive = false
  tries.contacts.onPeers([peer('liar')])
  await tries.settle(60_000)
  expect(tries.at).toHaveLength(1)
  expect(tries.closed).toEqual(['liar', 'liar'])
  expect(tries.misdeeds.map(({ did }) => did)).toEqual(['sent a bad piece 3 of'])
})

test('with all places taken, the slowest makes room for one that was not tried yet', async () => {
  const tries = new Tries()
  tries.succeed()
  tries.contacts.onPeers(Array.from({ length: peersPerFileMax }, (_, index) => peer(`u${index}`)))
  await tries.settle(10)
  for (const { link } of tries.contacts.linked) Object.assign(link ?? {}, { msPerPiece: 10 })
  Object.assign(tries.find('u7').link ?? {}, { msPerPiece: 9000 })
  await tries.settle(6000)
  tries.contacts.rotate(performance.now())
  expect(tries.closed).toEqual([])
  tries.contacts.onPeers([peer('next')])
  await tries.settle(6000)
  tries.contacts.rotate(performance.now())
  expect(tries.closed).toEqual(['u7'])
})

test('when the network has changed, all that wait are tried at once, but none that was put aside or banned', async () => {
  const tries = new Tries()
  tries.fail()
  const users = ['one', 'other', 'aside', 'liar']
  tries.contacts.onPeers(users.map((user) => peer(user)))
  await tries.settle(60_000)
  tries.contacts.putAside(tries.find('aside'), 'holds back pieces of')
  tries.contacts.ban(tries.find('liar'), 'sent a bad piece 3 of')
  tries.at.length = 0
  tries.changes.happen()
  await tries.settle()
  expect(tries.at).toEqual(['one 127.0.0.1', 'other 127.0.0.1'])
  // The waits are short again.
  await tries.settle(3000)
  expect(tries.at.filter((at) => at.startsWith('one'))).toHaveLength(3)
  tries.contacts.stop()
  tries.at.length = 0
  tries.changes.happen()
  expect(tries.at).toEqual([])
})

describe('a peer that gave pieces and is lost', () => {
  async function losing(...others: readonly string[]): Promise<Tries> {
    const tries = new Tries()
    tries.succeed()
    tries.contacts.onPeers([peer('giver'), ...others.map((user) => peer(user))])
    await tries.settle()
    tries.fail()
    const giver = tries.find('giver')
    giver.conduct.onPiece()
    giver.link = undefined
    tries.contacts.onUnlinked(giver)
    tries.at.length = 0
    tries.contacts.retryLater(giver)
    return tries
  }

  test('is tried at once where it was the only one, and again and again', async () => {
    const tries = await losing()
    await tries.settle(150)
    expect(tries.at).toEqual(['giver 127.0.0.1'])
    await tries.settle(60_000)
    // Its failures had it wait for half a minute.
    expect(tries.at.length).toBeGreaterThan(35)
    tries.contacts.stop()
  })

  test('is tried later and later while others are connected', async () => {
    const tries = await losing('other')
    await tries.settle(450)
    expect(tries.at).toEqual([])
    await tries.settle(60_000)
    expect(tries.at.length).toBeLessThan(9)
    tries.contacts.stop()
  })
})
