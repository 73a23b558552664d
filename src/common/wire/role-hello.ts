// The first line of a connection whose caller does not fetch: it says its role, since who dials and who fetches need not be
// the same behind routers. Read before anything else, encrypted or not, so it has exactly one form.

/**
 * `serves`: the caller was asked to dial, and serves on this connection from here on, as if it had been called.
 * `relays`: the called end forwards what follows to the other one that shows the token's twin.
 * `probes`: a tracker looks whether the client that listens here is the one that has logged in.
 */
export type Role = 'serves' | 'relays' | 'probes'

export interface RoleHello {
  readonly role: Role
  /** By which the called end knows what it is about: 16 to 48 random bytes, base64url. */
  readonly token: string
}

const beginning = '{"jsonrpc":"2.0","method":"hello","params":{"role":"'
const wholeLine =
  /^\{"jsonrpc":"2\.0","method":"hello","params":\{"role":"(serves|relays|probes)","token":"([A-Za-z0-9_-]{22,64})"\}\}\n/
/** Longer than the longest such line. */
const lineBytesMax = 192

export function encodeRoleHello({ role, token }: RoleHello): string {
  return `${beginning}${role}","token":"${token}"}}\n`
}

/**
 * Reads it from the first bytes of a connection. `rest` came behind it; undefined when the connection begins in another
 * way, `unfinished` while that cannot be told.
 */
export function readRoleHello(
  bytes: Buffer,
): { readonly hello: RoleHello; readonly rest: Buffer } | 'unfinished' | undefined {
  const text = bytes.toString('latin1', 0, lineBytesMax)
  const [line, role, token] = wholeLine.exec(text) ?? []
  if (line !== undefined && role !== undefined && token !== undefined)
    return { hello: { role: role as Role, token }, rest: bytes.subarray(line.length) }
  const isBegun = text.startsWith(beginning) || beginning.startsWith(text)
  return isBegun && bytes.length < lineBytesMax && !text.includes('\n') ? 'unfinished' : undefined
}
