import { afterEach, expect, test, vi } from 'vitest'
import { askTogether, isGone } from '../../../src/web/page/api.ts'

afterEach(() => vi.unstubAllGlobals())

/** A client that answers each request by what `answer` says; `asked` has the requests. */
function client(answer: (asked: unknown[]) => unknown): { asked: [string, unknown][] } {
  const asked: [string, unknown][] = []
  vi.stubGlobal('fetch', async (address: string, { body }: { body: string }) => {
    const said = JSON.parse(body) as { asked: unknown[] }
    asked.push([address, said])
    return Response.json(await answer(said.asked))
  })
  vi.stubGlobal('localStorage', { getItem: () => 'key' })
  return { asked }
}

test('what is asked in one turn goes as one request, and each gets its own answer', async () => {
  const { asked } = client(() => ({
    ok: true,
    value: [
      { ok: true, value: [] },
      { ok: false, code: 'no-such-group', sentence: 'there is no group g' },
    ],
  }))
  const ask = askTogether()
  const answers = await Promise.all([ask('showUploads'), ask('inspect', 'g', 'f')])
  expect(asked).toEqual([
    [
      '/api/several',
      {
        asked: [
          ['showUploads', []],
          ['inspect', ['g', 'f']],
        ],
      },
    ],
  ])
  expect(answers).toEqual([
    { ok: true, value: [] },
    { ok: false, refusal: { code: 'no-such-group', sentence: 'there is no group g' } },
  ])
})

test('what is asked in a later turn goes by itself', async () => {
  const { asked } = client((all) => ({ ok: true, value: all.map(() => ({ ok: true, value: [] })) }))
  const ask = askTogether()
  await ask('showUploads')
  await ask('showHashing')
  expect(asked.length).toBe(2)
})

test('without an answer each hears that the client is gone', async () => {
  client(() => Promise.reject(new TypeError('nobody is there')))
  const ask = askTogether()
  const answers = await Promise.all([ask('showUploads'), ask('showHashing')])
  expect(answers.map((answer) => !answer.ok && answer.refusal.sentence)).toEqual([isGone, isGone])
})
