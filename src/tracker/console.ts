// The commands that a person can type at a running tracker. The end of the input is ignored: a service has no input.

import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { escapeText } from '../common/escape.ts'
import { completionOf, type Completion } from '../common/terminal/completion.ts'
import type { Operator } from './operator.ts'
import { quotaNames } from './state/quotas.ts'
import { registrationModes } from './state/registration-modes.ts'

/** What the commands work with. */
export interface ConsoleEvents {
  status(): string
  digest(): string
  quit(): void
  readonly operator: Operator
}

interface ConsoleCommand {
  readonly name: string
  readonly alias?: string
  /** The words after the name: `<needed>` or `[optional]`, the optional ones last. */
  readonly words?: readonly string[]
  /** What the first of the words may be. */
  readonly values?: readonly string[]
  readonly help: string
  /** `words`: as many as the command takes. */
  readonly run: (words: readonly string[], print: (line: string) => void, events: ConsoleEvents) => void
}

const commands: readonly ConsoleCommand[] = [
  {
    name: 'status',
    help: 'count everything, and say how far this tracker is behind the log',
    run: (_, print, events) => print(events.status()),
  },
  {
    name: 'digest',
    help: 'print a hash of the state, to compare trackers',
    run: (_, print, events) => print(events.digest()),
  },
  {
    name: 'quota',
    words: ['[name]', '[value]'],
    values: quotaNames,
    help: 'show the bounds on what one person may add to the community, show one, or set one',
    run: ([name, value], print, { operator }) => {
      if (name !== undefined && value !== undefined) void operator.setQuota(name, value).then(print)
      else for (const line of operator.quotas(name)) print(line)
    },
  },
  {
    name: 'trackers',
    help: 'list the trackers whose tickets are valid in this community',
    run: (_, print, { operator }) => {
      for (const line of operator.trackers()) print(line)
    },
  },
  {
    name: 'revoke_tracker',
    words: ['<tracker>'],
    help: 'make the tickets of a tracker invalid, by its number or key, and stop waiting for it',
    run: ([tracker = ''], print, { operator }) => void operator.revoke(tracker).then(print),
  },
  {
    name: 'registration',
    words: ['[mode]'],
    values: registrationModes,
    help: 'show who may register, or set it at all trackers: open, invited or closed',
    run: ([mode], print, { operator }) => {
      if (mode === undefined) print(operator.registration)
      else void operator.setRegistration(mode).then(print)
    },
  },
  {
    name: 'invite',
    help: 'print a code with which one new user registers, within a week',
    run: (_, print, { operator }) => void operator.invite().then(print),
  },
  {
    name: 'reset_password',
    words: ['<user>'],
    help: 'print a code with which a user who forgot the password sets a new one, once, within a day',
    run: ([user = ''], print, { operator }) => void operator.resetPassword(user).then(print),
  },
  {
    name: 'remove_user',
    words: ['<user>'],
    help: 'delete an account for good, with its shares; its groups get other owners',
    run: ([user = ''], print, { operator }) => void operator.removeUser(user).then(print),
  },
  {
    name: 'quit',
    alias: 'exit',
    help: 'end this tracker',
    run: (_words, _print, events) => events.quit(),
  },
  {
    name: 'help',
    help: 'list the commands',
    run: (_, print) => {
      for (const command of commands) print(`${usageOf(command)}: ${command.help}`)
    },
  },
]

/** Reads commands from `input`; `print` gets each reply, a line at a time. */
export function readConsole(input: Readable, print: (line: string) => void, events: ConsoleEvents): void {
  const lines = createInterface({ input, terminal: false })
  // Replies quote what was typed, which may contain anything.
  lines.on('line', (line) => onLine(line, (text) => print(escapeText(text)), events))
  input.on('error', () => {
    // The terminal is gone; the tracker goes on.
  })
}

/** What a Tab puts in the place of the last word. */
export function completeCommand(line: string): Completion {
  const [name = '', typed, ...more] = line.trimStart().split(/\s+/)
  const startingWith = (words: readonly string[], word: string): Completion => {
    const found = words.filter((each) => each.startsWith(word))
    return completionOf(
      word,
      found.map((each) => `${each} `),
    )
  }
  if (typed === undefined) {
    const names = commands.flatMap((each) =>
      each.alias === undefined ? [each.name] : [each.name, each.alias],
    )
    return startingWith(names, name)
  }
  return startingWith(more.length > 0 ? [] : (find(name)?.values ?? []), typed)
}

/** The line as a history may keep it: of what is no command only the first word, since anything may stand behind it. */
export function rememberable(line: string): string {
  const [name = '', ...words] = line.trim().split(/\s+/)
  return find(name) === undefined ? name : [name, ...words].join(' ')
}

/** Does what a line says; `print` gets each reply, a line at a time. Replies quote what was typed: escape them. */
export function onLine(line: string, print: (line: string) => void, events: ConsoleEvents): void {
  const [name = '', ...words] = line.trim().split(/\s+/)
  if (name === '') return
  const command = find(name)
  if (command === undefined)
    print(`error: there is no command "${name.slice(0, 64)}"; help lists the commands`)
  else if (!takes(command, words.length)) print(`error: wrong number of words; type ${usageOf(command)}`)
  else command.run(words, print, events)
}

function find(name: string): ConsoleCommand | undefined {
  return commands.find((each) => each.name === name || each.alias === name)
}

function takes({ words = [] }: ConsoleCommand, count: number): boolean {
  const needed = words.filter((word) => word.startsWith('<')).length
  return needed <= count && count <= words.length
}

function usageOf({ name, words = [] }: ConsoleCommand): string {
  return [name, ...words].join(' ')
}
