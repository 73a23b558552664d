// People at pseudo terminals, each before a prompt of their own. Nothing sleeps: every step waits for its output.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { Person } from './person.ts'

/** For the tests of a file: builds the program once; call the result for each person. */
// oxlint-disable-next-line typescript/explicit-module-boundary-types
export function terminalPeople() {
  const source = fileURLToPath(new URL('./terminal-program.ts', import.meta.url))
  const folder = mkdtempSync(join(tmpdir(), 'coterie-terminal-'))
  /** In one file, like the client itself: it starts in a fifth of the time. */
  const program = join(folder, 'program.mjs')
  beforeAll(async () => {
    await build({
      entryPoints: [source],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      // commander is CommonJS, which asks for Node's own modules by require.
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
      logLevel: 'warning',
    })
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const running: Person[] = []
  afterEach(() => running.splice(0).forEach((person) => person.kill()))

  /** A person at a terminal with so many columns. */
  return function sitDown({
    columns = 100,
    env = {},
    shell = false,
  }: { columns?: number; env?: Record<string, string>; shell?: boolean } = {}) {
    const command = `'${process.execPath}' '${program}'`
    // The command is not the last one, so that the shell stays, and controls its jobs.
    const [file, args]: [string, string[]] = shell
      ? ['sh', ['-mc', `${command}; echo stopped; fg; echo over`]]
      : [process.execPath, [program]]
    const person = new Person(file, args, { columns, env })
    running.push(person)
    return person
  }
}
