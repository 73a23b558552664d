import { expect, onTestFinished, test, vi } from 'vitest'
import { JoinRequests } from '../../src/client/join-requests.ts'

function joinRequests(): { requests: JoinRequests; said: string[] } {
  vi.useFakeTimers({ now: 0 })
  onTestFinished(() => void vi.useRealTimers())
  const said: string[] = []
  const requests = new JoinRequests({
    onOne: (group, user) => said.push(`${group} ${user}`),
    onAgain: (group, user, times, sinceMs) => said.push(`${group} ${user} ${times} since ${sinceMs}`),
    onMore: (count) => said.push(`${count} more`),
  })
  return { requests, said }
}

// Hundreds of accounts that asked to join wrote hundreds of lines over what the owner was typing.
test('ten requests are told one by one, and the rest of ten seconds as one number', () => {
  const { requests, said } = joinRequests()
  for (let each = 1; each <= 500; each++) requests.onRequested('g', `u${each}`)
  expect(said).toEqual(Array.from({ length: 10 }, (_, each) => `g u${each + 1}`))
  vi.advanceTimersByTime(10_000)
  expect(said.slice(10)).toEqual(['490 more'])
  requests.onRequested('g', 'v')
  expect(said.slice(11)).toEqual(['g v'])
  vi.advanceTimersByTime(20_000)
  expect(said).toHaveLength(12)
})

test('who asks for the same a hundred times has a line at once, and one with the number after ten seconds', () => {
  const { requests, said } = joinRequests()
  vi.setSystemTime(5000)
  for (let times = 0; times < 100; times++) requests.onRequested('g', 'ben')
  expect(said).toEqual(['g ben'])
  vi.advanceTimersByTime(10_000)
  expect(said).toEqual(['g ben', 'g ben 100 since 5000'])
  vi.advanceTimersByTime(60_000)
  expect(said).toHaveLength(2)
})

test('who goes on asking is told of ever more rarely, and after an hour of silence as new', () => {
  const { requests, said } = joinRequests()
  for (let second = 0; second < 3600; second += 4) {
    requests.onRequested('g', 'ben')
    vi.advanceTimersByTime(4000)
  }
  // After 10 s, then 20, 40 and so on.
  expect(said.length).toBeLessThan(12)
  expect(said.at(-1)).toMatch(/^g ben \d+ since 0$/)
  const before = said.length
  vi.advanceTimersByTime(2 * 3600 * 1000)
  requests.onRequested('g', 'ben')
  expect(said.slice(before).at(-1)).toBe('g ben')
})

test('a request for another group, or of another user, is another one', () => {
  const { requests, said } = joinRequests()
  requests.onRequested('g', 'ben')
  requests.onRequested('h', 'ben')
  requests.onRequested('g', 'cem')
  expect(said).toEqual(['g ben', 'h ben', 'g cem'])
})
