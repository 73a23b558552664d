import { expect, test } from 'vitest'
import { guestsElsewhere } from '../../src/client/guest-wish.ts'

const wanted = { host: '0.0.0.0', port: 8443 }

test('nothing is said where the client that runs serves guests at the port that is asked for, or at any', () => {
  expect(guestsElsewhere(wanted, { origin: 'https://203.0.113.5:8443' })).toBeUndefined()
  expect(guestsElsewhere({ ...wanted, port: 443 }, { origin: 'https://files.example' })).toBeUndefined()
  expect(guestsElsewhere({ ...wanted, port: 0 }, { origin: 'https://[2001:db8::1]:4000' })).toBeUndefined()
})

test('it is said where the client that runs serves guests elsewhere, or none', () => {
  const remedy = 'end it, and start it with --guests again to change that'
  expect(guestsElsewhere(wanted, { origin: 'https://[2001:db8::1]:4000' })).toBe(
    `the client that runs here serves them at https://[2001:db8::1]:4000/; ${remedy}`,
  )
  expect(guestsElsewhere(wanted, undefined)).toBe(`the client that runs here serves none; ${remedy}`)
})
