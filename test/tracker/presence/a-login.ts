// A login as presence sees it, without a connection behind it.

import type { Login } from '../../../src/tracker/presence/login.ts'
import { News, type Outlet } from '../../../src/tracker/presence/news.ts'

/** Tells what there is to tell to `outlet`. */
export function aLogin(key: string, outlet: Outlet, facts: Partial<Login> = {}): Login {
  return {
    user: `user of ${key}`,
    account: 1,
    epoch: 0,
    end: () => undefined,
    key,
    host: '10.0.0.1',
    port: 4000,
    outside: { host: '10.0.0.1', port: 50_000 },
    inside: '10.0.0.9',
    local: [],
    localPort: 4000,
    mapped: false,
    relays: false,
    takesCalls: true,
    reachable: undefined,
    news: new News(outlet),
    tickets: new Map(),
    ...facts,
  }
}
