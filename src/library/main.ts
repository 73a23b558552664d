// The library: what a program of the user can do with the client that runs. It is one more terminal of that client, so it
// needs neither a password nor a tracker of its own. docs/library.md shows how it is used.

import { existsSync } from 'node:fs'
import { formatAddress, parseAddress, type Address } from '../common/addresses.ts'
import { Failure } from '../common/failure.ts'
import { RemoteClient } from '../client/control/remote-client.ts'
import type { ClientEvent, Operations } from '../client/operations.ts'
import { clientFolder } from '../client/storage/client-folder.ts'
import { checkFolderOwner } from '../client/storage/folder-claim.ts'
import { EventIterator } from './event-iterator.ts'

export { Failure }

/** Which client is meant: by where it listens, as its command line says (`127.0.0.1:4444`), or by its data folder. */
export type Whereabouts =
  | { readonly listen: string; readonly dataFolder?: string | undefined }
  | { readonly listen?: string | undefined; readonly dataFolder: string }

/**
 * A client that runs. Each operation asks it and waits for its answer, however long that takes: an expected no is a value,
 * `{ ok: false, refusal: { code, sentence } }`. It rejects with a `Failure` when the client has ended. Relative paths are
 * those of this process.
 */
export interface Connection extends Operations {
  /**
   * What happens from now on, one after the other; a second call begins anew. Ends with the connection, and when the loop
   * over it is left. Throws a `Failure` when 10,000 events were not read.
   */
  events(): AsyncIterableIterator<ClientEvent>
  /** Resolves when the client has ended, not when this connection was closed. */
  readonly ended: Promise<void>
  /** Leaves; the client goes on. As long as a connection is open, Node does not end by itself. */
  close(): Promise<void>
}

/**
 * Rejects with a `Failure` when no client runs there, when it is of another version than this library, or when the folder
 * is not this user's alone.
 */
export async function connect({ listen, dataFolder }: Whereabouts): Promise<Connection> {
  const address = listen === undefined ? undefined : parseAddress(listen)
  const folder = dataFolder ?? (address === undefined ? undefined : clientFolder(address))
  if (folder === undefined)
    throw new Failure('usage', 'say which client is meant: connect({ listen: "127.0.0.1:4444" })')
  const client = existsSync(folder) ? await joined(folder, address) : undefined
  if (client === undefined) {
    const where = address === undefined ? `in ${folder}` : `on ${formatAddress(address)}`
    throw new Failure('start', `no client runs ${where}; start one first`)
  }
  return connectionTo(client)
}

async function joined(folder: string, address: Address | undefined): Promise<RemoteClient | undefined> {
  checkFolderOwner(folder)
  const listen = address === undefined ? undefined : formatAddress(address)
  return RemoteClient.connect({ folder, listen })
}

function connectionTo(client: RemoteClient): Connection {
  const iterators = new Set<EventIterator>()
  let isOver = false
  const end = (): void => {
    isOver = true
    for (const iterator of [...iterators]) iterator.end()
  }
  void client.ended.then(end)
  return {
    ...client.operations,
    ended: client.ended,
    events: () => {
      const stop = client.subscribe((event) => iterator.push(event))
      const iterator = new EventIterator(() => {
        stop()
        iterators.delete(iterator)
      })
      iterators.add(iterator)
      if (isOver) iterator.end()
      return iterator
    },
    close: async () => {
      await client.close()
      end()
    },
  }
}
