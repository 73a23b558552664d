// How NATS servers are known by their certificates, and what is wrong with one.

import type { NodeConnectionOptions } from '@nats-io/transport-node'
import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import { Failure, systemCode } from '../../../common/failure.ts'
import { formatNatsAddress, type NatsAddress } from './nats-address.ts'

/** Null takes the plain connection also where a server offers both: it is what was asked for. */
export function tlsOptionsFor(address: NatsAddress): NonNullable<NodeConnectionOptions['tls']> | null {
  if (!address.isTls) return null
  const options: Pick<ConnectionOptions, 'ca' | 'checkServerIdentity' | 'minVersion'> = {
    ...(address.ca === undefined ? {} : { ca: address.ca }),
    minVersion: 'TLSv1.2',
    // The library passes no name for an address, and that of another server for one that the cluster told of. So the
    // certificate has to be that of any server of the list: they all hold the same log.
    checkServerIdentity: (_name, certificate) => {
      const wrong = hostsOf(address).map((host) => checkServerIdentity(host, certificate))
      return wrong.includes(undefined) ? undefined : wrong[0]
    },
  }
  return options as NonNullable<NodeConnectionOptions['tls']>
}

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
])

/** A `data` failure if the error is about a certificate: trying again does not help. */
export function tlsFailure(address: NatsAddress, error: unknown): Failure | undefined {
  const code = codeOf(error)
  const failure = (what: string): Failure =>
    new Failure('data', `NATS at ${formatNatsAddress(address)} ${what}`, error)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return failure('has a certificate for other names and addresses than those after --log')
  if (code === 'CERT_HAS_EXPIRED') return failure('has a certificate that has expired; make a new one')
  if (code === 'CERT_NOT_YET_VALID')
    return failure('has a certificate that is not valid yet; is the time right on both machines?')
  if (!untrusted.has(code ?? '')) return undefined
  return failure(
    address.ca === undefined
      ? 'has a certificate that this machine does not trust; name the certificate of its authority with --log-ca'
      : 'has a certificate that is not from the authority of --log-ca; name the right one',
  )
}

/** Of the error, or of the one that caused it. */
function codeOf(error: unknown): string | undefined {
  const code = systemCode(error)
  return code ?? (error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : undefined)
}

function hostsOf({ servers }: NatsAddress): string[] {
  return servers.map((server) => server.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'))
}
