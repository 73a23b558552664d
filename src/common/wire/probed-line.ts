// What a client answers to a connection of the role `probes`: one line, of exactly one form, before it closes.

export interface Probed {
  /** The client's key. */
  readonly key: string
  /** Its signature, see `proveProbed`. */
  readonly signature: string
}

/** Longer than the longest such line. */
export const probedBytesMax = 256

const wholeLine =
  /^\{"jsonrpc":"2\.0","method":"probed","params":\{"key":"([A-Za-z0-9_-]{43})","signature":"([A-Za-z0-9_-]{86})"\}\}\n$/

export function encodeProbed({ key, signature }: Probed): string {
  return `{"jsonrpc":"2.0","method":"probed","params":{"key":"${key}","signature":"${signature}"}}\n`
}

/** All that came on the connection; undefined when that is anything else. */
export function readProbed(bytes: Buffer): Probed | undefined {
  if (bytes.length > probedBytesMax) return undefined
  const [, key, signature] = wholeLine.exec(bytes.toString('latin1')) ?? []
  return key === undefined || signature === undefined ? undefined : { key, signature }
}
