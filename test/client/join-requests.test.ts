import { expect, onTestFinished, test, vi } from 'vitest'
import { JoinRequests } from '../../src/client/join-requests.ts'

// Hundreds of accounts that asked to join wrote hundreds of lines over what the owner was typing.
test('ten requests are told one by one, and the rest of ten seconds as one number', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const said: string[] = []
  const requests = new JoinRequests({
    onOne: (group, user) => said.push(`${group} ${user}`),
    onMore: (count) => said.push(`${count} more`),
  })
  for (let each = 1; each <= 500; each++) requests.onRequested('g', `u${each}`)
  expect(said).toEqual(Array.from({ length: 10 }, (_, each) => `g u${each + 1}`))
  vi.advanceTimersByTime(10_000)
  expect(said.slice(10)).toEqual(['490 more'])
  requests.onRequested('g', 'v')
  expect(said.slice(11)).toEqual(['g v'])
  vi.advanceTimersByTime(20_000)
  expect(said).toHaveLength(12)
})
