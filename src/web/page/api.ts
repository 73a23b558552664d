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

export const ask: Ask = async (operation, ...given) =>
  (await answerTo(`/api/${operation}`, { given })) as Answered<typeof operation>

/**
 * Asks by one request for all that is asked of it in one turn, eight operations at most: a request costs both ends more than
 * what it asks for. All answers come with the last one.
 */
export function askTogether(): Ask {
  let waiting: { readonly call: readonly unknown[]; readonly onAnswer: (answer: Answer<unknown>) => void }[] =
    []
  const send = async (): Promise<void> => {
    const asked = waiting
    waiting = []
    const all = await answerTo('/api/several', { asked: asked.map(({ call }) => call) })
    for (const [at, { onAnswer }] of asked.entries())
      onAnswer(all.ok ? answerIn(true, (all.value as readonly unknown[])[at]) : all)
  }
  return async (operation, ...given) => {
    if (waiting.length === 0) queueMicrotask(() => void send())
    const answer = await new Promise<Answer<unknown>>((onAnswer) => {
      waiting.push({ call: [operation, given], onAnswer })
    })
    return answer as Answered<typeof operation>
  }
}

async function answerTo(address: string, said: object): Promise<Answer<unknown>> {
  try {
    const headers = { ...keyHeader(), 'Content-Type': 'application/json' }
    const response = await fetch(address, { method: 'POST', headers, body: JSON.stringify(said) })
    return answerIn(response.ok, await response.json())
  } catch {
    // No answer at all, or one that is not the client's.
    return refuse('unavailable', isGone)
  }
}

/**
 * Has a file copied and shared in the group. `folder`: where the copy goes; empty for that of the client for it.
 * `onProgress` is told how many bytes have gone.
 */
export function dropFile(
  file: File,
  group: string,
  folder: string,
  onProgress: (bytesDone: number) => void,
): Promise<Answer<unknown>> {
  const query = new URLSearchParams({ group, name: file.name, ...(folder !== '' && { folder }) })
  // A fetch does not tell how far it is.
  const request = new XMLHttpRequest()
  request.open('POST', `/api/drop?${query.toString()}`)
  for (const [name, value] of Object.entries(keyHeader())) request.setRequestHeader(name, value)
  request.setRequestHeader('Content-Type', 'application/octet-stream')
  request.responseType = 'json'
  request.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded))
  return new Promise((resolve) => {
    request.addEventListener('load', () => resolve(answerIn(request.status === 200, request.response)))
    request.addEventListener('error', () => resolve(refuse('unavailable', isGone)))
    request.addEventListener('abort', () => resolve(refuse('unavailable', isGone)))
    request.send(file)
  })
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

function answerIn(isAnswered: boolean, said: unknown): Answer<unknown> {
  const { ok, value } = (said ?? {}) as { readonly ok?: boolean; readonly value?: unknown }
  return isAnswered && ok === true ? accept(value) : refusalIn(said)
}

/** In what the client answered; of what is not its own, that it does not answer. */
export function refusalIn(said: unknown): ReturnType<typeof refuse> {
  const { code, sentence } = (said ?? {}) as { readonly code?: unknown; readonly sentence?: unknown }
  return refuse(
    typeof code === 'string' && isRefusalCode(code) ? code : 'unavailable',
    typeof sentence === 'string' ? sentence : isGone,
  )
}
