// People at pseudo terminals, each before a prompt of their own. Nothing sleeps: every step waits for its output.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spawn } from '@lydell/node-pty'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { ScreenText } from './screen-text.ts'

/** For the tests of a file: builds the program once; call the result for each person. */
// oxlint-disable-next-line max-lines-per-function, typescript/explicit-module-boundary-types
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

  const running: { kill(): void }[] = []
  afterEach(() => running.splice(0).forEach((person) => person.kill()))

  /** A person at a terminal with so many columns. */
  return function sitDown({
    columns = 100,
    env = {},
    shell = false,
  }: { columns?: number; env?: Record<string, string>; shell?: boolean } = {}) {
    const command = `'${process.execPath}' '${program}'`
    // The command is not the last one, so that the shell stays, and controls its jobs.
    const [file, args] = shell
      ? ['sh', ['-mc', `${command}; echo stopped; fg; echo over`]]
      : [process.execPath, [program]]
    const child = spawn(file, args, {
      // It becomes TERM.
      name: env['TERM'] ?? 'xterm-256color',
      cols: columns,
      rows: 30,
      // Nothing else of whoever runs the tests: CI, NO_COLOR and their like would decide about colours.
      env: { PATH: process.env['PATH'] ?? '', ...env },
    })
    let output = ''
    const seen = new ScreenText(columns)
    let told = (): void => {}
    child.onData((data) => {
      output += data
      seen.write(data)
      told()
    })
    let exited = false
    const exit = new Promise<number>((resolve) => child.onExit(({ exitCode }) => resolve(exitCode)))
    void exit.then(() => (exited = true))
    const screen = (): string[] => seen.lines
    const until = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) await new Promise<void>((resolve) => (told = resolve))
    }
    /** Resolves when the text on the screen is like this. */
    const see = (wanted: RegExp): Promise<void> => until(() => wanted.test(screen().join('\n').trimEnd()))
    const person = {
      type: (text: string) => child.write(text),
      /** Makes somebody ask to join; resolves when the program has noticed, also where nothing is seen of it. */
      knock: async (): Promise<void> => {
        const rings = output.split('\u0007').length
        child.write('\u0007')
        while (output.split('\u0007').length === rings) await new Promise<void>((resolve) => (told = resolve))
      },
      resize: (width: number) => {
        seen.resize(width)
        child.resize(width, 30)
      },
      signal: (name: NodeJS.Signals) => child.kill(name),
      kill: () => {
        if (!exited) child.kill('SIGKILL')
      },
      see,
      /** Resolves when this is so, looking again at all that is shown. */
      until,
      /** Resolves when the cursor is there, from 0. */
      seeCursor: (row: number, column: number) =>
        until(() => seen.cursor.row === row && seen.cursor.column === column),
      brokenRows: () => seen.brokenRows,
      /** What stands on the screen from the cursor on. */
      afterCursor: () => seen.afterCursor,
      more: () => new Promise<void>((resolve) => (told = resolve)),
      screen,
      output: () => output,
      exit,
    }
    running.push(person)
    return person
  }
}
