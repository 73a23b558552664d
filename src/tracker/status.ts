// How a tracker is doing: one line for the person at its console, and the same and more for Prometheus.

import { counted } from '../common/counted.ts'
import type { EventLoopLag } from '../common/prometheus/event-loop-lag.ts'
import { single, type Family } from '../common/prometheus/exposition.ts'
import { processFamilies } from '../common/prometheus/process-families.ts'
import type { RequestMetrics } from './metrics/request-metrics.ts'
import type { LevelKeeper } from './level-keeper.ts'
import type { Presence } from './presence/presence.ts'
import type { Reach } from './reach/reach.ts'
import type { Sequencer } from './sequencer.ts'
import type { TrackerServer } from './server.ts'
import { totalsOf } from './state/queries.ts'

export interface TrackerParts {
  readonly sequencer: Sequencer
  readonly levels: LevelKeeper
  readonly presence: Presence
  readonly server: TrackerServer
  readonly requests: RequestMetrics
  readonly reach: Reach
}

export function statusLine({ sequencer, presence }: TrackerParts): string {
  const { entries, ms } = sequencer.lag
  void sequencer.sync()
  const { users, groups, files } = totalsOf(sequencer.state)
  return [
    `users ${users}`,
    `groups ${groups}`,
    `files ${files}`,
    `connected ${presence.loginCount}`,
    `log position ${sequencer.position}`,
    `level ${sequencer.state.level}`,
    `lag ${counted(entries, 'entry', 'entries')}, ${Math.round(ms)} ms`,
  ].join(', ')
}

export function metricFamilies(parts: TrackerParts, loop: EventLoopLag, droppedLogLines: number): Family[] {
  return [
    ...parts.requests.families(),
    ...soft(parts),
    ...reachFamilies(parts),
    ...hard(parts),
    ...processFamilies(loop),
    single(
      'counter',
      'coterie_dropped_log_lines_total',
      'Lines of the structured log that could not be written.',
      droppedLogLines,
    ),
  ]
}

/** Connections and what their clients announce. */
function soft({ presence, server, requests }: TrackerParts): Family[] {
  const failedLogins = requests.refusals('login-failed')
  return [
    single('gauge', 'coterie_connections', 'Connections of clients, logged in or not.', server.connections),
    single('gauge', 'coterie_clients', 'Clients that are logged in.', presence.loginCount),
    single(
      'gauge',
      'coterie_peers',
      'Files that clients announce, counted once for each client.',
      presence.announcedCount,
    ),
    single('counter', 'coterie_failed_logins_total', 'Logins with a wrong name or password.', failedLogins),
  ]
}

/** How clients come to each other. */
function reachFamilies({ reach: { probes, relay } }: TrackerParts): Family[] {
  return [
    {
      type: 'counter',
      name: 'coterie_probes_total',
      help: 'Looks for clients from outside, by what was found.',
      samples: [...probes.outcomes].map(([outcome, value]) => ({ labels: { outcome }, value })),
    },
    single(
      'gauge',
      'coterie_relay_pairs',
      'Pairs of clients between which this tracker forwards.',
      relay?.pairs ?? 0,
    ),
    single('counter', 'coterie_relayed_bytes_total', 'Bytes forwarded between clients.', relay?.bytes ?? 0),
  ]
}

/** The state and the log that it comes from. */
function hard({ sequencer }: TrackerParts): Family[] {
  const { entries, ms } = sequencer.lag
  const { users, groups, files } = totalsOf(sequencer.state)
  return [
    single('gauge', 'coterie_users', 'Users that are registered.', users),
    single('gauge', 'coterie_groups', 'Groups.', groups),
    single('gauge', 'coterie_files', 'Files that are shared in groups.', files),
    single('gauge', 'coterie_log_position', 'Entry of the log that was applied last.', sequencer.position),
    single('gauge', 'coterie_log_lag_entries', 'Entries that are in the log and not applied yet.', entries),
    single(
      'gauge',
      'coterie_log_lag_seconds',
      'Time since this tracker last saw that it had everything that is in the log.',
      ms / 1000,
    ),
  ]
}
