// The kinds of attack on a sharing client, and the plan that is passed to the attacking process.

/**
 * `silent`: sends nothing. `http`: speaks another protocol. `knocking`: disconnects at once. `forging`: shows a ticket
 * that nobody signed. `reconnecting`: proves its key and disconnects. The others prove their key; then `greedy`
 * requests all pieces, `not reading` does so without reading, `not reading again` also reconnects every second,
 * `holding half a line` stops within a line, and the rest send one kind of message as fast as the socket takes it.
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
  /** The folder with the attacker's identity. */
  readonly folder: string
  readonly ticket: string
  /** Encrypts its connections. */
  readonly isSecure?: boolean
  /** The address that it comes from. */
  readonly localHost?: string
}
