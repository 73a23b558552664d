import { describe, expect, test } from 'vitest'
import { eventText } from '../../../src/web/page/event-words.ts'
import { ruleFrom } from '../../../src/web/page/limit-form.ts'
import { keepRates, keptRates } from '../../../src/web/page/kept-rates.ts'
import { lookFor } from '../../../src/web/page/looks.ts'
import {
  changesLists,
  initialState,
  showsMadeLink,
  withEvent,
  withRoute,
  withTransfers,
  withUser,
} from '../../../src/web/page/state.ts'
import { download, madeLink } from '../../client/prompt/fake-operations.ts'

const empty = initialState({ view: 'groups' })

describe('the state of the page', () => {
  test('keeps nothing of a user when another one logs in', () => {
    const ann = {
      ...withUser(empty, 'ann'),
      groups: [],
      downloads: [download({ name: 'a', state: 'paused' })],
    }
    const ben = withUser(ann, 'ben')
    expect(ben).toMatchObject({ user: 'ben', groups: undefined, downloads: [] })
    expect(withUser(ann, 'ann')).toBe(ann)
    expect(withEvent(ann, { kind: 'user-changed', user: undefined }, 0)).toMatchObject({
      user: undefined,
      groups: undefined,
    })
  })

  test('has five hundred events at most, the latest first', () => {
    let state = empty
    for (let at = 0; at < 600; at++) state = withEvent(state, { kind: 'notice', sentence: `${at}` }, at)
    expect(state.events).toHaveLength(500)
    expect(state.events[0]).toMatchObject({ number: 600, event: { sentence: '599' } })
  })

  test('has the rates of ten minutes, the oldest first, and counts running downloads only', () => {
    const rate = { bytesPerSecond: 100 }
    const downloads = [
      download({ name: 'a', state: 'running', ...rate }),
      download({ name: 'b', state: 'running', ...rate }),
      download({ name: 'c', state: 'paused', ...rate }),
    ]
    let state = empty
    for (let at = 0; at < 700; at++) state = withTransfers(state, downloads, [], at)
    expect(state.samples).toHaveLength(600)
    expect(state.samples[0]?.atSeconds).toBe(100)
    expect(state.samples.at(-1)).toMatchObject({ bytesInPerSecond: 200, bytesOutPerSecond: 0 })
  })

  test('keeps the rates over a reload, without those that are too old by then, and takes nothing else for some', () => {
    const kept = new Map<string, string>()
    const storage = {
      setItem: (place: string, text: string) => void kept.set(place, text),
      getItem: (place: string) => kept.get(place) ?? null,
    }
    expect(keptRates(storage, 1000)).toEqual([])
    const samples = [100, 400, 700].map((atSeconds) => ({
      atSeconds,
      bytesInPerSecond: 5,
      bytesOutPerSecond: 0,
    }))
    keepRates(storage, samples)
    expect(keptRates(storage, 700)).toEqual(samples.slice(1))
    expect(keptRates(storage, 600)).toEqual(samples.slice(0, 2))
    for (const text of ['', '500', '500 5', '500 5 x', '{"at":500}']) {
      storage.setItem([...kept.keys()][0] ?? '', text)
      expect(keptRates(storage, 600)).toEqual([])
    }
  })

  test('keeps a group from its list to an entry of it, and forgets it elsewhere', () => {
    const group = { group: 'family', members: [], requests: [], entries: [], isWhole: true }
    const state = { ...empty, group, wanted: 'film', refused: 'no' }
    const entry = withRoute(state, { view: 'entry', group: 'family', name: 'a' })
    expect(entry).toMatchObject({ group, wanted: 'film', refused: '' })
    expect(withRoute(state, { view: 'group', group: 'choir' })).toMatchObject({
      group: undefined,
      wanted: '',
    })
  })
})

test('a new link is shown until its view is left, and waits for it where another one is shown', () => {
  const made = madeLink({ group: 'family', name: 'a' })
  const there = { view: 'entry', group: 'family', name: 'a' } as const
  const elsewhere = { ...withRoute(withUser(empty, 'ann'), { view: 'transfers' }), madeLink: made }
  expect(showsMadeLink(elsewhere)).toBe(false)
  for (const route of [there, { view: 'links' }] as const) {
    const shown = withRoute(elsewhere, route)
    expect(showsMadeLink(shown)).toBe(true)
    expect(withRoute(shown, { view: 'groups' }).madeLink).toBeUndefined()
    expect(withUser(shown, 'ben').madeLink).toBeUndefined()
  }
  expect(showsMadeLink(withRoute(elsewhere, { ...there, name: 'b' }))).toBe(false)
})

test('a thousand downloads that end have no list asked for', () => {
  expect(changesLists({ kind: 'download-complete', group: 'g', name: 'a', sizeBytes: 1, seconds: 1 })).toBe(
    false,
  )
  expect(changesLists({ kind: 'join-requested', group: 'g', user: 'ben' })).toBe(true)
})

describe('the form of a limit', () => {
  test('takes a rate for the whole day or for hours', () => {
    expect(ruleFrom('upload', '512K', '', '')).toMatchObject({ value: { bytesPerSecond: 524_288 } })
    expect(ruleFrom('upload', 'none', '', '')).toMatchObject({ ok: true, value: { direction: 'upload' } })
    expect(ruleFrom('download', '4M', '22:00', '06:30')).toMatchObject({
      value: { hours: { fromMinute: 1320, toMinute: 390 } },
    })
  })

  test('says what is wrong with a rate or with hours', () => {
    for (const [rate, from, to, sentence] of [
      ['fast', '', '', '"fast" is not a rate'],
      ['4M', '8:00', '', 'a beginning and an end'],
      ['4M', '8:00', '08:00', 'end when they begin'],
    ] as const)
      expect(ruleFrom('upload', rate, from, to)).toMatchObject({
        ok: false,
        refusal: { sentence: expect.stringContaining(sentence) as string },
      })
  })
})

test('what could run something is looked at as text, or not at all', () => {
  expect(lookFor('boat.JPG')).toBe('picture')
  expect(lookFor('page.html')).toBe('text')
  expect(lookFor('picture.svg')).toBe('text')
  expect(lookFor('program.exe')).toBeUndefined()
  expect(lookFor('README')).toBeUndefined()
})

test('events name no commands: the page has buttons', () => {
  const text = eventText({ kind: 'join-requested', group: 'family', user: 'ben', times: 3, sinceMs: 0 })
  expect(text).toBe('ben asks to join family, 3 times now')
})
