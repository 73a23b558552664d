// What a downloader makes of an end that is not the peer: it is no fault of that peer.

import { expect, test } from 'vitest'
import { PeerLink } from '../../../src/client/downloading/peer-link.ts'
import { NetworkChanges } from '../../../src/client/network/network-changes.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import type { Address } from '../../../src/common/addresses.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { Protection } from '../../../src/common/wire/protection.ts'
import { routesHere } from '../routes-here.ts'
import { listeningSecurely, ofAnotherKind, vouchedFor } from '../../common/other-certificates.ts'

const own = makeIdentity()

/** What comes of connecting to a peer that has this key. */
function opening({ host, port }: Address, key: string): Promise<unknown> {
  return PeerLink.open({
    peer: { user: 'ann', host, port, key, complete: true },
    fileId: '',
    ticket: 'a ticket',
    identity: own,
    routes: routesHere(new Protection(own.forTls, 'always')),
    changes: new NetworkChanges(),
    bucket: new TokenBucket(undefined),
  })
}

// A peer that breaks the protocol is named to the user and not asked again: somebody in between could do that to others.
test('an end with another key, or a key of another kind, is not taken for a peer that breaks the protocol', async () => {
  const other = makeIdentity()
  for (const options of [other.forTls, ofAnotherKind()])
    await expect(opening(await listeningSecurely(options), own.publicKey)).rejects.toMatchObject({
      code: 'connection-lost',
      message: expect.stringContaining('is not the client that the tracker named') as string,
    })
})

test('a peer that shows others that vouch for it is', async () => {
  const { key, tlsOptions } = vouchedFor()
  await expect(opening(await listeningSecurely(tlsOptions), key)).rejects.toMatchObject({ code: 'protocol' })
})
