/** The version of this program, sent in `hello`. A test compares it with package.json. */
export const version = '1.0.0-rc.1'

/** What a client calls itself in `hello`. */
export const clientProgram = `coterie-client/${version}`

/** The version of both wire protocols. Programs with different versions refuse each other. */
export const protocolVersion = 2

/** What a client says of itself to a tracker; `capabilities`: what it can do that not every client can. */
export const clientGreeting = {
  protocol: protocolVersion,
  program: clientProgram,
  capabilities: ['folders', 'calls'],
}
