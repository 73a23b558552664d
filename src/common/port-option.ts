// A port as an option of a program.

import { InvalidArgumentError } from 'commander'

/** 0 stands for any free one. Throws what commander reports. */
export function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('a port is a number up to 65535')
  return port
}
