// Asks once about each tracker whose key nobody has said: as ssh does, with the same question of who is at the other end.

import { formatAddress, type Address } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import { lineBytesMax } from '../../common/limits.ts'
import { fingerprintOf } from '../../common/security/identity.ts'
import { openChannel } from '../../common/wire/open-channel.ts'
import type { Protection } from '../../common/wire/protection.ts'
import { callFrom } from './call-from.ts'
import { resolveAddress } from '../../common/resolve-address.ts'
import type { TrackerTrust } from './tracker-trust.ts'

export interface Meeting {
  readonly trackers: readonly Address[]
  readonly listen: Address
  readonly protection: Protection
  readonly trust: TrackerTrust
  /** Asks a person; undefined where nobody can be asked. */
  readonly ask: ((question: string) => Promise<boolean>) | undefined
}

/**
 * Remembers the keys that the person says yes to. Trackers that do not answer are passed over: the link says so when
 * they come. Throws a `usage` failure for a no, and where nobody can be asked.
 */
export async function meetTrackers({ trackers, listen, protection, trust, ask }: Meeting): Promise<void> {
  for (const tracker of trackers) {
    if (!protection.isFor(tracker.host) || trust.pinOf(tracker) !== undefined) continue
    const key = await keyOf(tracker, listen, protection)
    if (key === undefined) continue
    const unknown = trust.check(tracker, key)
    if (ask === undefined) throw new Failure('usage', unknown?.message ?? '')
    if (!(await ask(questionAbout(tracker, key))))
      throw new Failure(
        'usage',
        `the tracker ${formatAddress(tracker)} is not trusted; nothing was sent to it`,
      )
    trust.remember(tracker, key)
  }
}

function questionAbout(tracker: Address, key: string): string {
  return [
    `This client does not know the tracker ${formatAddress(tracker)} yet. The tracker has the key`,
    `  ${fingerprintOf(key)}`,
    'Compare it with the line that the tracker printed at its start. Is it the same? (yes/no) ',
  ].join('\n')
}

/** The key that is shown there; undefined when nobody answers. */
async function keyOf(tracker: Address, listen: Address, protection: Protection): Promise<string | undefined> {
  let shown: string | undefined
  const seen = new Failure('protocol', 'only the key was of interest')
  const tls = protection.towards(tracker.host, (key) => {
    shown = key
    return seen
  })
  try {
    const address = await resolveAddress(tracker)
    await openChannel(address, lineBytesMax, { localHost: callFrom(listen, address), tls })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
  }
  return shown
}
