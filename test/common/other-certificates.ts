// Ends of TLS connections that show something else than a program of ours.

import { generateKeyPairSync, sign } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createServer, type TlsOptions } from 'node:tls'
import { onTestFinished } from 'vitest'
import type { Address } from '../../src/common/addresses.ts'
import { certificateOf } from '../../src/common/certificate.ts'

/** Takes connections and says nothing, until the end of the test. */
export async function listeningSecurely(options: TlsOptions): Promise<Address> {
  const server = createServer(options)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

/** An end that has this key, and shows another certificate that vouches for its own. */
export function vouchedFor(): { key: string; tlsOptions: TlsOptions } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const certificate = (): Buffer => {
    const pem = certificateOf(spki, (bytes) => sign(null, bytes, privateKey))
    return Buffer.from(pem.replaceAll(/-----.*-----|\n/g, ''), 'base64')
  }
  const [own, above] = [certificate(), certificate()]
  // The first name is that of the issuer. Nobody looks at the signatures.
  for (const each of [own, above]) each.write('another', each.indexOf('coterie'))
  above.write('another', above.lastIndexOf('coterie'))
  const inPem = (der: Buffer): string =>
    `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return {
    key: publicKey.export({ format: 'jwk' }).x ?? '',
    tlsOptions: { key, cert: inPem(own) + inPem(above) },
  }
}

/** An end with a key of another kind. */
export function ofAnotherKind(): TlsOptions {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: certificateOf(publicKey.export({ type: 'spki', format: 'der' }), () => Buffer.alloc(64)),
  }
}
