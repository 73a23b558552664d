// Plays what README.md shows against the real, built programs, and holds every shown line against what
// they print. People get pseudo terminals, as in the README; ports and /tmp are the test's own.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spawn, type IPty } from '@lydell/node-pty'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { usageOf } from '../../src/client/prompt/commands/command.ts'
import { allCommands } from '../../src/client/prompt/commands/program.ts'
import { screenText } from '../client/prompt/screen-text.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** Wide, so that no line wraps: the README's reader has a window, and its lines are short. */
const columns = 300
/** Far longer than anything here takes, also on a machine that is busy with other tests. */
const patience = { timeout: 15_000, interval: 20 }

/** A line that comes or does not, by how busy this machine is, and that the README therefore leaves out. */
const sometimes = [/ takes a while; its reply comes when it is done$/]

type Where = 'A' | 'B' | 'C' | 'shell'

interface Block {
  readonly where: Where
  readonly lines: readonly string[]
}

let folder = ''
const terminals = new Map<Where, Terminal>()

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coterie-readme-'))
  mkdirSync(join(folder, 'tmp'))
})
afterAll(() => {
  for (const terminal of terminals.values()) terminal.kill()
  rmSync(folder, { recursive: true, force: true })
})

/** A person in front of one of the programs, and what the README says they see. */
class Terminal {
  readonly #child: IPty
  readonly #shown: (screen: string) => string
  /** What the README has shown of this terminal so far. */
  readonly expected: string[] = []
  exitCode: number | undefined
  #output = ''

  /** `shown` turns what is the test's own on the screen into what the README has. */
  constructor(where: Where, command: string, shown: (screen: string) => string) {
    const [program = '', ...words] = command.replaceAll(/:\d+/g, ':0').split(' ')
    this.#shown = shown
    this.#child = spawn(process.execPath, [mainOf(program), ...words], {
      name: 'xterm-256color',
      cols: columns,
      rows: 30,
      cwd: folder,
      env: { ...environment(where), TERM: 'xterm-256color' },
    })
    this.#child.onData((data) => (this.#output += data))
    this.#child.onExit(({ exitCode }) => (this.exitCode = exitCode))
  }

  screen(): string[] {
    const text = screenText(this.#output, columns).join('\n').replaceAll(`${folder}/tmp/`, '/tmp/')
    return this.#shown(text)
      .trimEnd()
      .split('\n')
      .filter((line) => !sometimes.some((pattern) => pattern.test(line)))
  }

  /** The port that the tracker really took. */
  port(): string {
    return /listening on 127\.0\.0\.1:(\d+)/.exec(this.#output)?.[1] ?? ''
  }

  kill(): void {
    if (this.exitCode === undefined) this.#child.kill('SIGKILL')
  }

  type(line: string): void {
    this.#child.write(`${line.replaceAll('/tmp/', `${folder}/tmp/`)}\r`)
  }
}

/** Plays the lines of a block: types the commands among them, and waits for everything else. */
async function expectPlayed(terminal: Terminal, lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const [, prompt, command] = /^([a-z]+>) (.+)$/.exec(line) ?? []
    const isQuestion = /^(password|the same again):$/.test(line)
    if (isQuestion) await expectSeen(terminal, line)
    else if (prompt !== undefined) await expectSeen(terminal, prompt)
    // The tracker has no prompt. Its one command here is quit.
    if (isQuestion) terminal.type('correct-horse')
    else if (command !== undefined || line === 'quit') terminal.type(command ?? line)
    terminal.expected.push(line)
  }
  await expectSeen(terminal)
  if (!['quit', 'bye'].includes(lines.at(-1) ?? '')) return
  await vi.waitFor(() => expect(terminal.exitCode).toBeDefined(), patience)
  expect(terminal.exitCode).toBe(0)
  // Nothing comes behind the last word.
  expect(terminal.screen()).toEqual(terminal.expected)
}

/** Waits until the screen is as the README has it so far, with this behind it, or with any prompt. */
async function expectSeen(terminal: Terminal, last?: string): Promise<void> {
  const wanted = last === undefined ? terminal.expected : [...terminal.expected, last]
  await vi.waitFor(() => {
    const screen = terminal.screen()
    if (last === undefined && /^[a-z]+>$/.test(screen.at(-1) ?? '')) screen.pop()
    expect(screen).toEqual(wanted)
  }, patience)
}

function mainOf(program: string): string {
  const name = /^\.\/(tracker|client)$/.exec(program)?.[1]
  if (name === undefined) throw new Error(`the README starts "${program}"`)
  return join(root, 'dist', name, 'main.js')
}

/** A data folder for each: it is named by the listening address, and here all of them have port 0. */
function environment(where: Where): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: join(folder, 'home'),
    XDG_DATA_HOME: join(folder, 'data', where),
  }
}

/** The part of the README under a heading of the second level. */
function chapter(title: string): string {
  const found = readme.split(/^## /m).find((part) => part.startsWith(`${title}\n`))
  if (found === undefined) throw new Error(`the README has no chapter "${title}"`)
  return found
}

/** The `console` blocks of a chapter, each with the terminal that was named last before it. */
function blocksOf(title: string): Block[] {
  const blocks: Block[] = []
  let where: Where = 'shell'
  for (const match of chapter(title).matchAll(
    /^\*\*(?:Terminal ([ABC])|A shell)\b|^```console\n([^]*?)^```/gm,
  )) {
    if (match[2] === undefined) where = (match[1] ?? 'shell') as Where
    else blocks.push({ where, lines: match[2].trimEnd().split('\n') })
  }
  return blocks
}

/** The command that a block starts a program with, where it does. */
function startOf({ lines }: Block): string | undefined {
  return /^\$ (\.\/(?:tracker|client) .*)$/.exec(lines[0] ?? '')?.[1]
}

/** Plays `$` lines in a shell, and holds what they print against the lines between them. */
function expectInShell(lines: readonly string[]): void {
  const script: string[] = []
  const shown: string[] = []
  let inDocument = false
  for (const line of lines) {
    if (line.startsWith('$ ')) script.push(line.slice(2))
    else (inDocument ? script : shown).push(line)
    inDocument = line.endsWith("<<'END'") || (inDocument && line !== 'END')
  }
  const run = spawnSync('sh', ['-euc', ownPlaces(script.join('\n'))], {
    cwd: folder,
    env: environment('shell'),
    encoding: 'utf8',
  })
  expect(run.stderr).toBe('')
  expect(run.stdout.trimEnd().replaceAll(`${folder}/tmp/`, '/tmp/')).toBe(shown.join('\n'))
}

/** What a reader types, for this test's folder, ports and build. */
function ownPlaces(script: string): string {
  return script
    .replaceAll('/tmp/', `${folder}/tmp/`)
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:0')
    .replaceAll(/\.\/(tracker|client) /g, (program) => `node '${mainOf(program.trim())}' `)
}

/** `127.0.0.1:9002`, as the first line of a block of this terminal has it behind its program's name. */
function addressIn(blocks: readonly Block[], where: Where): string {
  const text = blocks.filter((block) => block.where === where).flatMap(({ lines }) => lines)
  return /127\.0\.0\.1:\d+/.exec(text.join('\n'))?.[0] ?? ''
}

/** Starts what a block starts, as the person who sits at that terminal. */
async function expectStarted(block: Block, start: string, addressShown: string): Promise<void> {
  // The tracker takes any free port, and the file that the clients read is written anew with that one.
  if (block.where === 'A') writeFileSync(join(folder, 'tracker_info.txt'), '127.0.0.1:0\n')
  const terminal = new Terminal(block.where, start, (text) =>
    text.replaceAll(/127\.0\.0\.1:\d+/g, addressShown),
  )
  terminals.set(block.where, terminal)
  await expectPlayed(terminal, block.lines.slice(1))
  if (block.where === 'A') writeFileSync(join(folder, 'tracker_info.txt'), `127.0.0.1:${terminal.port()}\n`)
}

const session = blocksOf('A first session')
const trackerBlock = session.find(({ where }) => where === 'A') as Block

describe('the first session', () => {
  test('has a tracker on the first address of tracker_info.txt, two people and a shell', () => {
    expect([...new Set(session.map(({ where }) => where))].toSorted()).toEqual(['A', 'B', 'C', 'shell'])
    const first = /^[^#\n]+$/m.exec(readFileSync(join(root, 'tracker_info.txt'), 'utf8'))?.[0]
    expect(addressIn(session, 'A')).toBe(first)
  })

  test('goes as the README shows it, line by line', async () => {
    for (const block of session) {
      const start = startOf(block)
      if (block.where === 'shell') expectInShell(block.lines)
      // On the tracker's screen its own address is shown, on the others' that of Ann, who serves them.
      else if (start !== undefined)
        await expectStarted(block, start, addressIn(session, block.where === 'A' ? 'A' : 'B'))
      else await expectPlayed(terminals.get(block.where) as Terminal, block.lines)
    }
  }, 120_000)
})

test('the script does what the README shows, and exits with 0', async () => {
  await expectStarted(trackerBlock, startOf(trackerBlock) ?? '', addressIn(session, 'A'))
  const blocks = blocksOf('Scripts')
  expect(blocks).toHaveLength(1)
  for (const { lines } of blocks) expectInShell(lines)
}, 60_000)

describe('the reference', () => {
  test('names the commands of the prompt with their words and flags, and no other', () => {
    const rows = [...chapter('Commands').matchAll(/^\| `([^`]+)` \| \S/gm)].map((row) =>
      (row[1] ?? '').replaceAll('\\|', '|'),
    )
    const known = allCommands.map((command) =>
      [usageOf(command), ...(command.flags ?? []).map(({ flag }) => `[${flag}]`)].join(' '),
    )
    expect(rows.toSorted()).toEqual(known.toSorted())
    for (const { alias } of allCommands)
      if (alias !== undefined) expect(chapter('Commands')).toContain(`\`${alias}\``)
  })

  test.each(['tracker', 'client'])('names exactly the options of the %s', (program) => {
    const help = spawnSync(process.execPath, [mainOf(`./${program}`), '--help'], { encoding: 'utf8' }).stdout
    const table = chapter('The programs').split(`| option of the ${program} |`)[1]?.split('\n\n')[0] ?? ''
    const optionsIn = (text: string): string[] =>
      [
        ...new Set(
          Array.from(text.matchAll(/(?<![\w-])--?[a-zA-Z][a-z-]*(?: <\w+>)?/g), ([option]) => option),
        ),
      ].toSorted()
    expect(optionsIn(table)).toEqual(optionsIn(help))
  })
})

test('what the documents point to is there', () => {
  const documents = ['.', 'docs'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(root, folder, name)),
  )
  const missing: string[] = []
  for (const document of documents) {
    for (const [, target = ''] of readFileSync(document, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
      const [file = '', anchor] = target.split('#')
      const path = file === '' ? document : join(dirname(document), file)
      const isThere = existsSync(path) && (anchor === undefined || anchorsOf(path).includes(anchor))
      if (!isThere && !target.startsWith('https://')) missing.push(`${document}: ${target}`)
    }
  }
  expect(missing).toEqual([])
})

function anchorsOf(document: string): string[] {
  return Array.from(readFileSync(document, 'utf8').matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    anchorOf(heading),
  )
}

/** As GitHub makes them from headings. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
}
