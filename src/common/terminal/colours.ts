// Colours, as far as the terminal has them and the person wants them.

import chalk, { Chalk, type ChalkInstance } from 'chalk'

/** See no-color.org. */
export function colours(): ChalkInstance {
  return process.env['NO_COLOR'] ? new Chalk({ level: 0 }) : chalk
}
