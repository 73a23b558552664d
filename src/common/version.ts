/** The version of this program, sent in `hello`. A test compares it with package.json. */
export const version = '0.2.0'

/** The version of both wire protocols. Programs with different versions refuse each other. */
export const protocolVersion = 2
