import fc from 'fast-check'
import { expect, test } from 'vitest'
import { linkTo, parseRoute } from '../../../src/web/page/routes.ts'

test('a link to any entry leads back to it, whatever its name has in it', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.string({ minLength: 1, unit: 'grapheme' }),
      (group, name) => {
        const route = { view: 'entry', group, name } as const
        expect(parseRoute(linkTo(route))).toEqual(route)
      },
    ),
  )
})

test('a link to a group or a view leads back to it', () => {
  for (const route of [
    { view: 'group', group: 'chess / club' },
    { view: 'limits' },
    { view: 'groups' },
  ] as const)
    expect(parseRoute(linkTo(route))).toEqual(route)
})

test('an address that means nothing shows the groups', () => {
  for (const hash of ['', '#', '#/nothing', '#/groups/', '#/groups/%E0%A4%A/a/b/c', '#token'])
    expect(parseRoute(hash).view).toMatch(/^groups?$/)
})
