// What is wrong in a story of the package: a sentence each. A story goes on, so that it tells all of them.

import type { Ran } from './running.ts'

export class Wrongs {
  readonly all: string[] = []

  succeeds(what: string, { status, stdout, stderr }: Ran): void {
    if (status !== 0) this.add(`${what} ended with ${status}: ${(stderr + stdout).trim()}`)
  }

  expect(what: string, is: unknown, should: unknown): void {
    if (is !== should) this.add(`${what} is ${String(is)}, not ${String(should)}`)
  }

  add(what: string): void {
    this.all.push(what)
  }
}
