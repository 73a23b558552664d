// How people write who a tracker is to NATS.

import { expect, test } from 'vitest'
import { Failure } from '../../../src/common/failure.ts'
import { parseNatsCredentials } from '../../../src/tracker/log/nats/nats-credentials.ts'

function mistake(text: string): string {
  try {
    return JSON.stringify(parseNatsCredentials(text, 'the-file'))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    expect(error.code).toBe('usage')
    return error.message
  }
}

test('a user and a password, or a token, are read as a server reads them', () => {
  for (const text of [
    'user: "ann"\npassword: "p@ss: w#1"\n',
    '# who we are\r\n\r\n  password = "p@ss: w#1"\r\nuser=ann\r\n',
  ])
    expect(parseNatsCredentials(text, 'f')).toEqual({ user: 'ann', password: 'p@ss: w#1', token: undefined })
  expect(parseNatsCredentials('token: 12e3', 'f')).toEqual({
    user: undefined,
    password: undefined,
    token: '12e3',
  })
})

test('every mistake names its line, and no secret', () => {
  for (const line of [
    'pass: "s3cret"',
    's3cret',
    'password: s3 cret',
    'password: "s3\\cret"',
    'token: "s3cret',
  ])
    expect(mistake(`user: ann\n${line}\n`)).toBe(
      'the-file, line 2: write user: "…", password: "…" or token: "…", each once, without quotes and \\ in it',
    )
  expect(mistake('password: s3cret\npassword: s3cret')).toMatch(/^the-file, line 2: /)
  for (const text of [
    '',
    'user: ann',
    'password: s3cret',
    'token: s3cret\nuser: ann',
    'user: a\npassword: s3cret\ntoken: s3cret',
  ])
    expect(mistake(text)).toBe('the-file must name a user and a password, or only a token')
})
