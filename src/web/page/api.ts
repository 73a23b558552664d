// Asks the client that serves the page: its operations, as the prompt asks for them, and files that are dropped here.

import type { RemoteOperation } from '../../client/control/protocol.ts'
import type { Operations } from '../../client/operations.ts'
import { accept, isRefusalCode, refuse, type Answer } from '../../common/refusal.ts'
import { keyHeader } from './key.ts'

type Value<R> = [R] extends [Answer<infer T>] ? T : R

/** What an operation answers, also those that never refuse: the client may be gone. */
export type Answered<O extends RemoteOperation> = Answer<Value<Awaited<ReturnType<Operations[O]>>>>

/** An operation with its arguments, in their order. */
export type Ask = <O extends RemoteOperation>(
  operation: O,
  ...given: Parameters<Operations[O]>
) => Promise<Answered<O>>

/** The sentence for no answer at all: everything else is an answer of the client. */
export const isGone = 'the client on this computer does not answer; start it again and open its new link'

export const ask: Ask = async (operation, ...given) => {
  const answer = await post(`/api/${operation}`, JSON.stringify({ given }), 'application/json')
  return answer as Answered<typeof operation>
}

/** Has a file copied and shared in the group. `folder`: where the copy goes; empty for that of the client for it. */
export function dropFile(file: File, group: string, folder: string): Promise<Answer<unknown>> {
  const query = new URLSearchParams({ group, name: file.name, ...(folder !== '' && { folder }) })
  return post(`/api/drop?${query.toString()}`, file, 'application/octet-stream')
}

/** The address of an entry's bytes. `path`: of a file in a folder. */
export function addressOf(fileKey: string, group: string, name: string, path?: string): string {
  const query = new URLSearchParams({ key: fileKey, ...(path !== undefined && { path }) })
  return `/api/files/${encodeURIComponent(group)}/${encodeURIComponent(name)}?${query.toString()}`
}

/** The first bytes of a text, as characters; refused with a sentence where they are not to be had. */
export async function beginningOf(address: string, bytes: number): Promise<Answer<string>> {
  try {
    const response = await fetch(address, { headers: { Range: `bytes=0-${bytes - 1}` } })
    // An empty file has no first byte.
    if (response.status === 416) return accept('')
    if (!response.ok) return refusalIn(await response.json())
    return accept((await response.text()).slice(0, bytes))
  } catch {
    return refuse('unavailable', isGone)
  }
}

async function post(address: string, body: string | Blob, type: string): Promise<Answer<unknown>> {
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { ...keyHeader(), 'Content-Type': type },
      body,
    })
    const said = (await response.json()) as { readonly ok?: boolean; readonly value?: unknown }
    return response.ok && said.ok === true ? accept(said.value) : refusalIn(said)
  } catch {
    // No answer at all, or one that is not the client's.
    return refuse('unavailable', isGone)
  }
}

/** In what the client answered; of what is not its own, that it does not answer. */
export function refusalIn(said: unknown): ReturnType<typeof refuse> {
  const { code, sentence } = (said ?? {}) as { readonly code?: unknown; readonly sentence?: unknown }
  return refuse(
    typeof code === 'string' && isRefusalCode(code) ? code : 'unavailable',
    typeof sentence === 'string' ? sentence : isGone,
  )
}
