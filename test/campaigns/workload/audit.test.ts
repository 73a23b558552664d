// How the audit judges a story by what is found of it.

import { expect, test } from 'vitest'
import { noFigures, type Figures } from '../figures.ts'
import { factsOf, judge } from './audit.ts'
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

function judged(told: readonly Told[], found: Partial<Parameters<typeof factsOf>[0]>): Figures {
  const story = new Story(group, [ann, bob, cid], () => 0)
  const model = story.modelBefore()
  for (const { wish, answer, tries = 1 } of told) {
    const step: Step = { id: `id-${story.steps.length}`, wish, expected: model.do(wish), answer, tries }
    story.steps.push(step)
  }
  const figures = noFigures()
  const nothing = { owner: undefined, members: [], requests: [], shares: [], newcomer: false }
  judge(story, factsOf({ ...nothing, ...found }), figures)
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

test('a state that no choice of whole commands leads to is half applied', () => {
  const found = { owner: ann, members: [ann, bob], requests: [bob] }
  expect(judged([create, join, accept], found)).toMatchObject({ lost: 0, twice: 0, half: 1 })
})
