// By which way two clients are connected.

import { isPrivate } from '../common/networks.ts'

/**
 * `direct`: one dialled the other. `lan`: at an address of the network that both are in. `mapped`: dialled, at a port that a
 * router forwards at its client's request. `called-back`: the sharing client dialled, since it was asked to. `punched`: both
 * dialled at once. `relayed`: somebody forwards between them, and sees only ciphertext.
 */
export type Way = 'direct' | 'lan' | 'mapped' | 'called-back' | 'punched' | 'relayed'

/** The best first, with how people are told. */
const words: Readonly<Record<Way, string>> = {
  lan: 'LAN',
  direct: 'direct',
  mapped: 'mapped',
  'called-back': 'called back',
  punched: 'punched',
  relayed: 'relayed',
}

const order = Object.keys(words) as Way[]

export function wayText(way: Way): string {
  return words[way]
}

/** Less is better. */
export function rankOfWay(way: Way): number {
  return order.indexOf(way)
}

/** Of a connection that came in from there. */
export function wayFrom(host: string): Way {
  return isPrivate(host) ? 'lan' : 'direct'
}

/** One of them has to be helped to the other: no address of it can be dialled. */
export function isRoundabout(way: Way): boolean {
  return rankOfWay(way) >= rankOfWay('called-back')
}

/** How many are connected by which way, as `2 direct, 1 relayed`. */
export function countedByWay(ways: readonly Way[]): string {
  const counts = order.map((way) => ({ way, count: ways.filter((one) => one === way).length }))
  return counts
    .filter(({ count }) => count > 0)
    .map(({ way, count }) => `${count} ${wayText(way)}`)
    .join(', ')
}
