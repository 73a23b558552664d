// The kinds of attacks on a sharing client, and what the process that attacks is told.

/**
 * `silent`: says nothing. `http`: speaks another protocol. `knocking`: goes at once. `forging`: shows a ticket that
 * nobody signed. `reconnecting`: proves its key and goes. The others prove it and then ask for all pieces, without
 * reading, or reading and coming again every second, or ask for one thing as fast as it is taken.
 */
export const attackKinds: readonly string[] = [
  'silent',
  'http',
  'knocking',
  'forging',
  'reconnecting',
  'greedy',
  'not reading',
  'not reading again',
  'asking for manifests',
  'opening',
  'renewing',
  'wanting',
  'pinging',
  'talking nonsense',
  'sending empty lines',
  'dribbling',
  'holding half a line',
]

export interface Attack {
  /** One of `attackKinds`. */
  readonly kind: string
  readonly connections: number
  readonly port: number
  readonly fileId: string
  readonly pieceCount: number
  /** The folder of the attacker's identity. */
  readonly folder: string
  readonly ticket: string
}
