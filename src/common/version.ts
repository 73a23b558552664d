/** The version of this program, sent in `hello`. A test compares it with package.json. */
export const version = '0.2.0'

/** What a client calls itself in `hello`. */
export const clientProgram = `coterie-client/${version}`

/** The version of both wire protocols. Programs with different versions refuse each other. */
export const protocolVersion = 2
