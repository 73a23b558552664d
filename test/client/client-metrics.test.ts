import { expect, test } from 'vitest'
import { clientFamilies } from '../../src/client/client-metrics.ts'
import { EventLoopLag } from '../../src/common/prometheus/event-loop-lag.ts'
import { exposition } from '../../src/common/prometheus/exposition.ts'

test('guests are counted by the number of their link, beside the connections of members', () => {
  const member = { key: 'a', way: 'direct', bytesPerSecond: 5 } as const
  const guest = (link: number, bytesPerSecond: number): object => ({ link, bytesPerSecond })
  const core = {
    session: () => undefined,
    uploads: () => [member],
    guestFetches: () => [guest(1, 10), guest(3, 20), guest(1, 30)],
    link: { evidence: [] },
  }
  const loop = new EventLoopLag()
  const text = exposition(clientFamilies(core as never, loop))
  loop.stop()
  expect(text.split('\n').filter((line) => /^coterie_client_(guest|bytes|peers)/.test(line))).toEqual([
    'coterie_client_peers{direction="out",way="direct"} 1',
    'coterie_client_bytes_per_second{direction="out",way="direct"} 5',
    'coterie_client_guests{link="1"} 2',
    'coterie_client_guests{link="3"} 1',
    'coterie_client_guest_bytes_per_second{link="1"} 40',
    'coterie_client_guest_bytes_per_second{link="3"} 20',
  ])
})
