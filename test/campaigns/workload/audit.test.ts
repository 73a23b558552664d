// How the audit judges a story by what is found of it.

import { expect, test } from 'vitest'
import { isClean, noFigures, type Figures } from '../figures.ts'
import { factsOf, judge } from './audit.ts'
import { placeholderOf } from './passwords.ts'
import { Story, type Step, type StoryWish } from './story.ts'

const [ann, bob, cid] = ['ann', 'bob', 'cid']
const group = 'g'

interface Told {
  readonly wish: StoryWish
  readonly answer?: string | undefined
  readonly tries?: number
}

const create: Told = { wish: { kind: 'create_group', by: ann, group }, answer: 'done' }
const join: Told = { wish: { kind: 'join_group', by: bob, group }, answer: 'done' }
const accept: Told = { wish: { kind: 'accept_request', by: ann, group, user: bob }, answer: 'done' }

function judged(
  told: readonly Told[],
  found: Partial<Parameters<typeof factsOf>[0]>,
  outlives = false,
): Figures {
  const story = new Story(group, [ann, bob, cid], () => 0)
  const model = story.modelBefore()
  for (const { wish, answer, tries = 1 } of told) {
    const step: Step = { id: `id-${story.steps.length}`, wish, expected: model.do(wish), answer, tries }
    story.steps.push(step)
  }
  const figures = noFigures()
  const nothing = {
    owner: undefined,
    hidden: false,
    members: [],
    requests: [],
    shares: [],
    password: undefined,
  }
  judge(story, factsOf({ ...nothing, ...found }), outlives, figures)
  return figures
}

const asked = { owner: ann, members: [ann], requests: [bob] }
const accepted = { owner: ann, members: [ann, bob] }

test('a story whose end is found as told is right', () => {
  expect(judged([create, join, accept], accepted)).toEqual({ ...noFigures(), acknowledged: 3 })
})

test('a command without an answer may have had its effect, or not', () => {
  const story = [create, join, { ...accept, answer: undefined }]
  for (const found of [asked, accepted])
    expect(judged(story, found)).toEqual({ ...noFigures(), acknowledged: 2, uncertain: 1 })
})

test('acknowledged commands without their effect are lost, each of them', () => {
  expect(judged([create, join, accept], asked)).toMatchObject({ lost: 1, twice: 0, half: 0 })
  expect(judged([create, join, accept], {})).toMatchObject({ lost: 3, twice: 0, half: 0 })
  // The refusal shows the loss first, and has no effect to lose.
  const refused: Told = { ...accept, answer: 'no-such-request' }
  expect(judged([create, join, refused], { owner: ann, members: [ann] })).toMatchObject({ lost: 1, half: 0 })
})

test('a repeated command that is refused because of its own effect counts as done twice', () => {
  const repeated: Told = { ...create, answer: 'group-taken', tries: 2 }
  expect(judged([repeated], { owner: ann, members: [ann] })).toMatchObject({ lost: 0, twice: 1, half: 0 })
})

test('a repeated command that has its effect again after a later one counts as done twice', () => {
  const story: Told[] = [create, { ...join, tries: 2 }, accept]
  story.push({ wish: { kind: 'leave_group', by: bob, group }, answer: 'done' })
  expect(judged(story, asked)).toMatchObject({ lost: 0, twice: 1, half: 0 })
})

const newcomer = `new-${group}`
const [first, second] = [placeholderOf('first'), placeholderOf('second')]
const comes: Told = { wish: { kind: 'register', user: newcomer, credentials: first }, answer: 'done' }
const changes: Told = {
  wish: { kind: 'change_password', by: newcomer, credentials: second },
  answer: 'done',
}
const goes: Told = { wish: { kind: 'delete_account', by: newcomer }, answer: 'done' }

test('a newcomer logs in with the last password, and after the end of the account with none', () => {
  expect(isClean(judged([comes], { password: 'first' }))).toBe(true)
  expect(isClean(judged([comes, changes], { password: 'second' }))).toBe(true)
  expect(isClean(judged([comes, changes, goes], {}))).toBe(true)
  expect(isClean(judged([comes, changes, goes, comes], { password: 'first' }))).toBe(true)
  const given = [comes, { ...changes, answer: undefined }]
  for (const password of ['first', 'second'] as const) {
    expect(judged(given, { password })).toEqual({ ...noFigures(), acknowledged: 1, uncertain: 1 })
  }
})

test('an acknowledged change of an account without its effect is lost', () => {
  expect(judged([comes, changes], { password: 'first' })).toMatchObject({ lost: 1, twice: 0, half: 0 })
  expect(judged([comes, changes, goes], { password: 'second' })).toMatchObject({ lost: 1, twice: 0, half: 0 })
  expect(judged([comes, changes], {})).toMatchObject({ lost: 2, twice: 0, half: 0 })
})

test('an account that is made again by a late copy, or ended again, counts as done twice', () => {
  expect(judged([{ ...comes, tries: 2 }, goes], { password: 'first' })).toMatchObject({ lost: 0, twice: 1 })
  expect(judged([comes, { ...goes, tries: 2 }, comes], {})).toMatchObject({ lost: 0, twice: 1, half: 0 })
  // Whoever asks again cannot prove the password of an account that is gone.
  const repeated: Told = { ...goes, answer: 'login-failed', tries: 2 }
  expect(judged([comes, repeated], {})).toMatchObject({ lost: 0, twice: 1, half: 0 })
})

test('an account with none of the passwords, or a session that outlives its password, is half changed', () => {
  expect(judged([comes, changes], { password: 'none' })).toMatchObject({ lost: 0, twice: 0, half: 1 })
  expect(judged([comes, changes], { password: 'second' }, true)).toMatchObject({ lost: 0, twice: 0, half: 1 })
})

test('a hidden group that everybody sees, or another one that nobody sees, is half made', () => {
  const hides: Told = { wish: { kind: 'create_group', by: ann, group, hidden: true }, answer: 'done' }
  const members = [ann]
  expect(isClean(judged([hides], { owner: ann, members, hidden: true }))).toBe(true)
  expect(judged([hides], { owner: ann, members })).toMatchObject({ lost: 0, twice: 0, half: 1 })
  expect(judged([create], { owner: ann, members, hidden: true })).toMatchObject({ lost: 0, half: 1 })
})

test('a state that no choice of whole commands leads to is half applied', () => {
  const found = { owner: ann, members: [ann, bob], requests: [bob] }
  expect(judged([create, join, accept], found)).toMatchObject({ lost: 0, twice: 0, half: 1 })
})
