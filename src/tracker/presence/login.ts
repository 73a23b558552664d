// A connection on which somebody is logged in, as presence knows it. One user may have several.

import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import type { Told, ToldParams } from '../../common/wire/methods.ts'
import type { Swarm } from './swarm.ts'

/** Sends a notification. */
export type Tell = <M extends Told<TrackerProtocol, 'toCaller'>>(
  method: M,
  params: ToldParams<TrackerProtocol, 'toCaller', M>,
) => void

export interface Login {
  readonly user: string
  /** The key it proved at login. */
  readonly key: string
  /** As the tracker sees it, never as the client claims. */
  readonly host: string
  /** Where it says that it listens. */
  readonly port: number
  readonly tell: Tell
  /** Swarms in which it has pieces. */
  readonly announced: Set<Swarm>
  /** Swarms it wants to hear of, by `fileKey`. */
  readonly watched: Map<string, Swarm>
}
