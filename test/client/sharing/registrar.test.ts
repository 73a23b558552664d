import { expect, onTestFinished, test, vi } from 'vitest'
import { Registrar, type Ask } from '../../../src/client/sharing/registrar.ts'
import { Failure } from '../../../src/common/failure.ts'
import { accept, refuse, type Answer, type RefusalCode } from '../../../src/common/refusal.ts'

function registrar(): Registrar {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const made = new Registrar()
  onTestFinished(() => {
    made.close()
    vi.useRealTimers()
  })
  return made
}

const file = (name: string): { group: string; name: string } => ({ group: 'g', name })
const yes: Ask = () => Promise.resolve(accept(undefined))
const no = (code: RefusalCode): Answer<never> => refuse(code, 'no')

/** Questions that wait for the test to answer. */
function questions(): { ask: Ask; answer: ((answer: Answer<void>) => void)[] } {
  const answer: ((answer: Answer<void>) => void)[] = []
  return { answer, ask: () => new Promise((resolve) => answer.push(resolve)) }
}

/** Lets everything happen that needs no time. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0)
}

test.each(['no-such-group', 'not-a-member', 'name-taken'] as const)('%s ends a share', async (code) => {
  const ask = vi.fn<Ask>().mockResolvedValue(no(code))
  expect(await registrar().share(file('a'), ask, true)).toEqual(no(code))
  expect(ask).toHaveBeenCalledTimes(1)
})

test.each(['unavailable', 'busy', 'login-first', 'bad-name', 'invalid-params'] as const)(
  '%s does not end a share: it is asked again until it is accepted',
  async (code) => {
    const ask = vi.fn<Ask>().mockResolvedValueOnce(no(code)).mockResolvedValueOnce(no(code))
    ask.mockResolvedValueOnce(accept(undefined))
    const shared = registrar().share(file('a'), ask, true)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await shared).toEqual(accept(undefined))
    expect(ask).toHaveBeenCalledTimes(3)
  },
)

test('trackers that cannot be reached do not end a lasting wish, and fail one that is not', async () => {
  const ask = vi.fn<Ask>().mockRejectedValueOnce(new Failure('connection-lost', 'nobody'))
  ask.mockResolvedValueOnce(accept(undefined))
  const all = registrar()
  const shared = all.share(file('a'), ask, true)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await shared).toEqual(accept(undefined))
  ask.mockRejectedValueOnce(new Failure('connection-lost', 'nobody'))
  await expect(all.share(file('b'), ask, false)).rejects.toThrow('nobody')
})

test('a tracker that is back is asked at once, and so is one that has accepted anything', async () => {
  const all = registrar()
  const ask = vi.fn<Ask>().mockResolvedValueOnce(no('unavailable')).mockResolvedValueOnce(no('unavailable'))
  ask.mockResolvedValue(accept(undefined))
  const shared = all.share(file('a'), ask, true)
  await settle()
  all.onTrackerUp()
  await settle()
  expect(ask).toHaveBeenCalledTimes(2)
  await all.share(file('b'), yes, false)
  expect(await shared).toEqual(accept(undefined))
})

test('no more than 48 names are asked for at once, and all in the end', async () => {
  const all = registrar()
  const { ask, answer } = questions()
  const shared = Promise.all(Array.from({ length: 100 }, (_, each) => all.share(file(`${each}`), ask, true)))
  for (let answered = 0; answered < 100; answered++) {
    await settle()
    expect(answer.length).toBe(Math.min(100, 48 + answered))
    answer[answered]?.(accept(undefined))
  }
  expect((await shared).every(({ ok }) => ok)).toBe(true)
})

test('the newest wish for a name counts, and is asked after the one before it was answered', async () => {
  const all = registrar()
  const { ask, answer } = questions()
  const shared = all.share(file('a'), ask, true)
  await settle()
  const stop = vi.fn<Ask>(yes)
  const stopped = all.withdraw(file('a'), stop, true)
  expect(await shared).toMatchObject({ refusal: { code: 'cancelled' } })
  await settle()
  expect(stop).not.toHaveBeenCalled()
  answer[0]?.(accept(undefined))
  expect(await stopped).toEqual(accept(undefined))
  expect(all.isRegistered(file('a'))).toBe(false)
})

test('a name is registered from the answer to its share to the next wish', async () => {
  const all = registrar()
  expect(all.isRegistered(file('a'))).toBe(false)
  await all.share(file('a'), yes, true)
  expect(all.isRegistered(file('a'))).toBe(true)
  const { ask, answer } = questions()
  const again = all.share(file('a'), ask, false)
  expect([all.isRegistered(file('a')), all.isWished(file('a'))]).toEqual([false, true])
  await settle()
  answer[0]?.(no('unavailable'))
  expect(await again).toEqual(no('unavailable'))
  expect([all.isRegistered(file('a')), all.isWished(file('a'))]).toEqual([false, false])
})

test('a wish that is forgotten, or left when it closes, is not asked again', async () => {
  const all = registrar()
  const ask = vi.fn<Ask>().mockResolvedValue(no('unavailable'))
  const wishes = [all.share(file('a'), ask, true), all.share(file('b'), ask, true)]
  await settle()
  all.forget(file('a'))
  all.close()
  await vi.advanceTimersByTimeAsync(100_000)
  expect(ask).toHaveBeenCalledTimes(2)
  for (const wish of wishes) expect(await wish).toMatchObject({ refusal: { code: 'cancelled' } })
  expect(await all.share(file('c'), ask, true)).toMatchObject({ refusal: { code: 'cancelled' } })
})

test('a withdrawal ends with any answer that is not trouble', async () => {
  const ask = vi.fn<Ask>().mockResolvedValueOnce(no('unavailable')).mockResolvedValueOnce(no('not-shared'))
  const withdrawn = registrar().withdraw(file('a'), ask, true)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await withdrawn).toEqual(no('not-shared'))
})
