// Somebody beside the trackers who has access to the same NATS servers, and does what no tracker would do.

import { jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { onTestFinished } from 'vitest'
import type { NatsAddress } from '../../../src/tracker/log/nats/nats-address.ts'
import { tlsOptionsFor } from '../../../src/tracker/log/nats/nats-tls.ts'

export interface Administrator {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  publish: (subject: string, text: string) => Promise<unknown>
}

/** Has the rights of the address's user, and leaves with the test. */
export async function administrator(address: NatsAddress): Promise<Administrator> {
  const { servers, user, password, stream } = address
  const connection = await connect({
    servers: [...servers],
    tls: tlsOptionsFor(address),
    ...(user === undefined ? {} : { user, pass: password }),
    inboxPrefix: `_INBOX.${stream}`,
  })
  onTestFinished(() => connection.close())
  const publisher = jetstream(connection)
  return {
    connection,
    manager: await jetstreamManager(connection, { checkAPI: false }),
    publish: (subject, text) => publisher.publish(subject, text),
  }
}
