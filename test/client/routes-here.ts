// Ways to peers on this machine, without trackers.

import { AwaitedCalls } from '../../src/client/reach/awaited-calls.ts'
import { NetworkChanges } from '../../src/client/network/network-changes.ts'
import { PeerRoutes } from '../../src/client/reach/peer-routes.ts'
import type { Protection } from '../../src/common/wire/protection.ts'

export function routesHere(protection: Protection): PeerRoutes {
  return new PeerRoutes({
    protection,
    changes: new NetworkChanges(),
    listen: { host: '127.0.0.1', port: 0 },
    awaited: new AwaitedCalls(),
    trackers: () => [],
    isSeenAt: () => false,
  })
}
