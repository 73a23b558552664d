// Plays what a document shows against the real, built programs. People get pseudo terminals, as in the document; ports and
// /tmp are the test's own.

import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spawn, type IPty } from '@lydell/node-pty'
import { vi } from 'vitest'
import { screenText } from '../client/prompt/screen-text.ts'
import { addressIn, type Block, type Where } from './console-blocks.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Wide, so that no line wraps: a reader has a window, and the lines are short. */
const columns = 300
/** Far longer than anything here takes, also on a machine that is busy with other tests. */
const patience = { timeout: 15_000, interval: 20 }
const password = 'correct-horse'

/** A line that comes or does not, by how busy this machine is and its Node, and that documents therefore leave out. */
const sometimes = [
  / takes a while; its reply comes when it is done; to end it: /,
  /^no answer from a tracker yet; waiting for it$/,
  /^Node\.js \d+ gets no security fixes /,
]

export function mainOf(program: string): string {
  const name = /^\.\/(tracker|client)$/.exec(program)?.[1]
  if (name === undefined) throw new Error(`the document starts "${program}"`)
  return join(root, 'dist', name, 'main.js')
}

/** A person in front of one of the programs, and what the document says they see. */
class Terminal {
  readonly #child: IPty
  readonly #stage: Stage
  readonly #shown: (screen: string) => string
  /** What the document has shown of this terminal so far. */
  readonly #expected: string[] = []
  /** Commands, each of which stays on the screen behind its prompt. */
  #typed = 0
  /** Questions for a password, of those on the screen. */
  #answered = 0
  #exitCode: number | undefined
  #output = ''

  /** `shown` turns what is the test's own on the screen into what the document has. */
  constructor(stage: Stage, where: Where, command: string, shown: (screen: string) => string) {
    const [program = '', ...words] = command.replaceAll(/:\d+/g, ':0').split(' ')
    this.#stage = stage
    this.#shown = shown
    this.#child = spawn(process.execPath, [mainOf(program), ...words], {
      name: 'xterm-256color',
      cols: columns,
      rows: 30,
      cwd: stage.folder,
      env: { ...stage.environment(where), TERM: 'xterm-256color' },
    })
    this.#child.onData((data) => (this.#output += data))
    this.#child.onExit(({ exitCode }) => (this.#exitCode = exitCode))
  }

  screen(): string[] {
    const text = screenText(this.#output, columns)
      .join('\n')
      .replaceAll(`${this.#stage.folder}/tmp/`, '/tmp/')
    return this.#shown(text)
      .trimEnd()
      .split('\n')
      .filter((line) => !sometimes.some((pattern) => pattern.test(line)))
  }

  /** The port that the tracker really took. */
  async port(): Promise<string> {
    return vi.waitFor(() => {
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(this.#output)?.[1]
      if (port === undefined) throw new Error(`the tracker has not said where it listens: ${this.#output}`)
      return port
    }, patience)
  }

  kill(): void {
    if (this.#exitCode === undefined) this.#child.kill('SIGKILL')
  }

  /** Types the commands among the lines, and waits for everything else. */
  async play(lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      const [, prompt, command] = /^([a-z]+>|tracker \d>) (.+)$/.exec(line) ?? []
      const isQuestion = /^(password|the same again):$/.test(line)
      if (isQuestion) await this.#seen(line)
      else if (prompt !== undefined) await this.#seen(prompt)
      if (isQuestion) this.#type(password)
      else if (command !== undefined) this.#type(command)
      this.#expected.push(line)
    }
    await this.#seen()
    if (!/^(bye|tracker \d> quit)$/.test(lines.at(-1) ?? '')) return
    await vi.waitFor(() => assert.equal(this.#exitCode, 0), patience)
    // Nothing comes behind the last word.
    assert.deepEqual(this.screen(), this.#expected)
  }

  /** Types the lines behind prompts, and passwords where they are asked for; what comes between is not shown. */
  async follow(lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      const [, prompt = '', command = ''] = /^([a-z]+>) (.+)$/.exec(line) ?? []
      await this.#answerUntil((last) => last === prompt)
      this.#type(command)
      this.#typed++
    }
    // What the last one does is done when the next one can be typed.
    if (lines.length > 0) await this.#answerUntil((last) => /^[a-z]+>$/.test(last))
  }

  /** A line that begins like this. */
  async sees(begin: string): Promise<void> {
    await vi.waitFor(() => {
      const screen = this.screen()
      assert(
        screen.some((line) => line.startsWith(begin)),
        screen.join('\n'),
      )
    }, patience)
  }

  async #answerUntil(isLast: (line: string) => boolean): Promise<void> {
    await vi.waitFor(() => {
      const screen = this.screen()
      assert.deepEqual(
        screen.filter((line) => line.startsWith('error:')),
        [],
      )
      // A question stays on the screen when it was answered.
      const questions = screen.filter((line) => /^(password|the same again):$/.test(line)).length
      for (; this.#answered < questions; this.#answered++) this.#type(password)
      const prompts = screen.filter((line) => /^[a-z]+>/.test(line)).length
      assert(prompts > this.#typed && isLast(screen.at(-1) ?? ''), screen.join('\n'))
    }, patience)
  }

  #type(line: string): void {
    this.#child.write(`${line.replaceAll(/\/tmp\b/g, `${this.#stage.folder}/tmp`)}\r`)
  }

  /** Waits until the screen is as the document has it so far, with this behind it, or with any prompt. */
  async #seen(last?: string): Promise<void> {
    const wanted = last === undefined ? this.#expected : [...this.#expected, last]
    await vi.waitFor(() => {
      const screen = this.screen()
      if (last === undefined && /^([a-z]+|tracker \d)>$/.test(screen.at(-1) ?? '')) screen.pop()
      assert.deepEqual(screen, wanted)
    }, patience)
  }
}

/** The terminals of a document, in a folder of their own. */
export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'coterie-transcript-'))
  readonly #terminals = new Map<Where, Terminal>()

  constructor() {
    mkdirSync(join(this.folder, 'tmp'))
  }

  at(where: Where): Terminal {
    const terminal = this.#terminals.get(where)
    if (terminal === undefined) throw new Error(`nothing was started in terminal ${where}`)
    return terminal
  }

  /** Plays the blocks in their order, with every line that they show. */
  async play(blocks: readonly Block[]): Promise<void> {
    for (const { where, lines } of blocks) {
      const isStarted = await this.#start(blocks, where, lines[0] ?? '')
      if (where === 'shell') this.inShell(lines)
      else await this.at(where).play(isStarted ? lines.slice(1) : lines)
    }
  }

  /** Types what the blocks say, which do not show what is answered. */
  async follow(blocks: readonly Block[]): Promise<void> {
    for (const { where, lines } of blocks) {
      const isStarted = await this.#start(blocks, where, lines[0] ?? '')
      await this.at(where).follow(isStarted ? lines.slice(1) : lines)
    }
  }

  /** Plays `$` lines in a shell, and holds what they print against the lines between them. */
  inShell(lines: readonly string[]): void {
    const script: string[] = []
    const shown: string[] = []
    let inDocument = false
    for (const line of lines) {
      if (line.startsWith('$ ')) script.push(line.slice(2))
      else (inDocument ? script : shown).push(line)
      inDocument = line.endsWith("<<'END'") || (inDocument && line !== 'END')
    }
    const run = spawnSync('sh', ['-euc', this.#ownPlaces(script.join('\n'))], {
      cwd: this.folder,
      env: this.environment('shell'),
      encoding: 'utf8',
    })
    assert.equal(run.stderr, '')
    assert.equal(run.stdout.trimEnd().replaceAll(`${this.folder}/tmp/`, '/tmp/'), shown.join('\n'))
  }

  /** A data folder for each: it is named by the listening address, and here all of them have port 0. */
  environment(where: Where): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: join(this.folder, 'home'),
      XDG_DATA_HOME: join(this.folder, 'data', where),
    }
  }

  close(): void {
    for (const terminal of this.#terminals.values()) terminal.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Starts the program of a line that starts one, as the person who sits at that terminal. */
  async #start(blocks: readonly Block[], where: Where, line: string): Promise<boolean> {
    const command = /^\$ (\.\/(?:tracker|client) .*)$/.exec(line)?.[1]
    if (command === undefined || where === 'shell') return false
    // The tracker takes any free port, and the file that the clients read is written anew with that one.
    if (where === 'A') writeFileSync(join(this.folder, 'tracker_info.txt'), '127.0.0.1:0\n')
    // On the tracker's screen its own address is shown, on the others' that of Ann, who serves them.
    const address = addressIn(blocks, where === 'A' ? 'A' : 'B')
    const tracker = addressIn(blocks, 'A')
    const terminal = new Terminal(this, where, command, (text) =>
      text.replaceAll(/(tracker )?127\.0\.0\.1:\d+/g, (_all, isTracker?: string) =>
        isTracker === undefined ? address : `${isTracker}${tracker}`,
      ),
    )
    this.#terminals.set(where, terminal)
    if (where === 'A')
      writeFileSync(join(this.folder, 'tracker_info.txt'), `127.0.0.1:${await terminal.port()}\n`)
    return true
  }

  /** What a reader types, for this test's folder, ports and build. */
  #ownPlaces(script: string): string {
    return script
      .replaceAll('/tmp/', `${this.folder}/tmp/`)
      .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:0')
      .replaceAll(/\.\/(tracker|client) /g, (program) => `node '${mainOf(program.trim())}' `)
  }
}
