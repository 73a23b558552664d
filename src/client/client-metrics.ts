// What a client counts, for Prometheus.

import type { EventLoopLag } from '../common/prometheus/event-loop-lag.ts'
import type { Family, Sample } from '../common/prometheus/exposition.ts'
import { processFamilies } from '../common/prometheus/process-families.ts'
import { connectionsOf, type Connection } from './actions/connections.ts'
import type { Core } from './actions/core.ts'
import type { GuestFetch } from './guests/guest-fetches.ts'

export function clientFamilies(
  core: Pick<Core, 'session' | 'uploads' | 'guestFetches' | 'link'>,
  loop: EventLoopLag,
): Family[] {
  const connections = connectionsOf(core)
  const guests = core.guestFetches()
  const downloads = core.session()?.downloads.views() ?? []
  return [
    {
      type: 'gauge',
      name: 'coterie_client_peers',
      help: 'Connections to other clients on which files are exchanged, by direction and by way (see docs/reach.md).',
      samples: byWay(connections, () => 1),
    },
    {
      type: 'gauge',
      name: 'coterie_client_bytes_per_second',
      help: 'What comes in from other clients and goes out to them, by way.',
      samples: byWay(connections, ({ bytesPerSecond }) => bytesPerSecond),
    },
    {
      type: 'gauge',
      name: 'coterie_client_guests',
      help: 'Guests who fetch by a link at the moment, by the number of the link.',
      samples: summed(guests, labelsOfGuest),
    },
    {
      type: 'gauge',
      name: 'coterie_client_guest_bytes_per_second',
      help: 'What goes out to guests, by the number of the link.',
      samples: summed(guests, labelsOfGuest, ({ bytesPerSecond }) => bytesPerSecond),
    },
    {
      type: 'gauge',
      name: 'coterie_client_downloads',
      help: 'Downloads by state.',
      samples: summed(downloads, ({ state }) => ({ state })),
    },
    {
      type: 'gauge',
      name: 'coterie_client_trackers',
      help: 'Trackers of the list by state.',
      samples: summed(core.link.evidence, ({ state }) => ({ state })),
    },
    ...processFamilies(loop),
  ]
}

function labelsOfGuest({ link }: GuestFetch): Record<string, string> {
  return { link: String(link) }
}

function byWay(connections: readonly Connection[], valueOf: (connection: Connection) => number): Sample[] {
  return summed(connections, ({ direction, way }) => ({ direction, way }), valueOf)
}

/** A sample for each set of labels, in the order in which they come. */
function summed<T>(
  all: readonly T[],
  labelsOf: (one: T) => Record<string, string>,
  valueOf: (one: T) => number = () => 1,
): Sample[] {
  const sums = new Map<string, { labels: Record<string, string>; value: number }>()
  for (const one of all) {
    const labels = labelsOf(one)
    const key = Object.values(labels).join(' ')
    const sum = sums.get(key) ?? { labels, value: 0 }
    sum.value += valueOf(one)
    sums.set(key, sum)
  }
  return [...sums.values()]
}
