// A client that comes back for a file on a new connection: its old one is most likely dead, after a change of its network
// say. The system would keep it for a quarter of an hour while something is to be sent, and it holds pieces in memory.

import type { Channel } from '../../common/wire/channel.ts'

/** A connection on which something may be fetched. */
export interface Served {
  readonly channel: Pick<Channel, 'lastHeardAtMs' | 'hasUnsent'>
  /** Whether the client with this key fetches the file on it. */
  fetches(fileId: string, key: string): boolean
  close(sentence: string): void
}

/** A connection that lives has something heard on it within this time, since its other end is there. */
const graceMs = 2000

/** Called when a client begins with a file. Closes its others for the file that take nothing and are silent from now on. */
export function onComeback<S extends Served>(
  all: ReadonlySet<S>,
  back: S,
  fileId: string,
  key: string,
): void {
  const former = [...all].filter((one) => one !== back && one.fetches(fileId, key))
  if (former.length === 0) return
  const fromMs = performance.now()
  const timer = setTimeout(() => {
    for (const one of former) {
      const { hasUnsent, lastHeardAtMs } = one.channel
      if (hasUnsent && lastHeardAtMs < fromMs) one.close('the same client has come back for the file')
    }
  }, graceMs)
  timer.unref()
}
