import { expect, test, vi } from 'vitest'
import { RecentMembership } from '../../../src/client/actions/recent-membership.ts'
import { Failure } from '../../../src/common/failure.ts'
import { accept, refuse, type Answer } from '../../../src/common/refusal.ts'

const yes = accept({ members: [] })
const no = refuse('not-a-member', 'you are not a member of g')

/** A tracker that gives these answers, and a clock. */
function asking(...answers: (Answer<unknown> | Failure)[]) {
  const ask = vi.fn<(method: string, params: { group: string }) => Promise<Answer<unknown>>>(() => {
    const answer = answers.shift() ?? yes
    return answer instanceof Failure ? Promise.reject(answer) : Promise.resolve(answer)
  })
  const clock = { nowMs: 5000 }
  const membership = new RecentMembership({ ask: ask as never }, () => clock.nowMs)
  return { ask, clock, membership }
}

const session = {}

test('uploads that follow each other closely ask once, also while the answer is awaited', async () => {
  const { ask, clock, membership } = asking()
  const checks = [membership.check(session, 'g'), membership.check(session, 'g')]
  expect(await Promise.all(checks)).toEqual([yes, yes])
  clock.nowMs += 999
  expect(await membership.check(session, 'g')).toEqual(yes)
  expect(ask.mock.calls).toEqual([['list_members', { group: 'g' }]])
})

test('a yes is believed for a second, for that group and login', async () => {
  const { ask, clock, membership } = asking()
  await membership.check(session, 'g')
  clock.nowMs += 1000
  await membership.check(session, 'g')
  await membership.check(session, 'other')
  await membership.check({}, 'other')
  expect(ask).toHaveBeenCalledTimes(4)
})

test('a no is asked again each time: the user may have been let in', async () => {
  const { ask, membership } = asking(no, no)
  const checks = [membership.check(session, 'g'), membership.check(session, 'g')]
  expect(await Promise.all(checks)).toEqual([no, no])
  expect(await membership.check(session, 'g')).toEqual(yes)
  expect(ask).toHaveBeenCalledTimes(3)
})

test('a failure is told to whoever asked, and the next one asks again', async () => {
  const failure = new Failure('timeout', 'no tracker can be reached')
  const { membership } = asking(failure)
  const checks = [membership.check(session, 'g'), membership.check(session, 'g')]
  expect(await Promise.allSettled(checks)).toEqual([
    { status: 'rejected', reason: failure },
    { status: 'fulfilled', value: yes },
  ])
})
