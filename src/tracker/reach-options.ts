// The options of a tracker for how clients come to each other.

import { InvalidArgumentError, Option } from 'commander'
import { BlockList, isIP } from 'node:net'
import { parseRate } from '../common/rates.ts'
import type { Advertised } from './requests/advertised.ts'

export function reachOptions(): Option[] {
  return [
    new Option(
      '--advertised <observed|any|ip,ip,…>',
      'which addresses clients may advertise, beside the one that the tracker sees',
    )
      .argParser(advertisedOf)
      .default('observed'),
    new Option(
      '--relay <rate>',
      'forward between clients that cannot reach each other, so many bytes a second: 4M, none for no limit',
    ).argParser(relayOf),
  ]
}

function advertisedOf(text: string): Advertised {
  if (text === 'observed' || text === 'any') return text
  const allowed = new BlockList()
  for (const host of text.split(',').map((each) => each.trim())) {
    const version = isIP(host)
    if (version === 0)
      throw new InvalidArgumentError(`"${host}" is not an IP address; write observed, any, or addresses`)
    allowed.addAddress(host, version === 6 ? 'ipv6' : 'ipv4')
  }
  return allowed
}

function relayOf(text: string): { bytesPerSecond: number | undefined } {
  const rate = parseRate(text)
  if (!rate.ok) throw new InvalidArgumentError(rate.refusal.sentence)
  return { bytesPerSecond: rate.value }
}
