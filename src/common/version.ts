/** The version of this program, as both ends tell each other in `hello`. Held to package.json by a test. */
export const version = '0.1.0'

/** The version of both wire protocols. Ends with different numbers do not talk. */
export const protocolVersion = 1
