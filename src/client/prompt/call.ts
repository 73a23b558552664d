// Turns the words of a line into the call of a command. commander matches the words with the commands and
// suggests names for mistyped ones; its errors become one sentence each, in our words.

import { Command, CommanderError } from 'commander'
import type { Answer } from '../../common/refusal.ts'
import { accept, refuse } from '../../common/refusal.ts'
import type { CallFlags, CallWords, PromptCommand } from './commands/command.ts'
import { usageOf } from './commands/command.ts'
import { allCommands, findCommand } from './commands/program.ts'
import { unquotedPath } from './commands/unquoted-path.ts'
import { didYouMean, suggestionsFor } from './suggestions.ts'

export interface Call {
  readonly command: PromptCommand
  readonly words: CallWords
  readonly flags: CallFlags
}

/** It is built once, since that takes longer than sharing a small file. Parsing again begins with nothing of the line before. */
let program: Command | undefined
/** What is called by the line that is parsed. */
let called: Call | undefined

/** Finds the command that these words call; refuses with a sentence when there is none. */
export function callOf(words: readonly string[]): Answer<Call> {
  // Older systems of this kind put the word `requests` before this command.
  const given = words[0] === 'requests' && words[1] === 'list_requests' ? words.slice(1) : words
  const [name = '', ...rest] = asHelp(given) ?? given
  called = undefined
  program ??= programCalling((call) => (called = call))
  try {
    program.parse([name, ...flagsFirst(findCommand(name), rest)], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return refuse('usage', complaint(error, name, rest))
    throw error
  }
  if (called === undefined) throw new Error(`commander neither called nor refused: ${words.join(' ')}`)
  return accept(called)
}

/** What asks for help in the way of a shell: `?`, and a command with nothing but `--help` behind it. */
function asHelp(words: readonly string[]): string[] | undefined {
  const [name = '', second, ...others] = words
  if (name === '?') return ['help', ...words.slice(1)]
  const isAsked = second === '--help' && others.length === 0 && findCommand(name) !== undefined
  return isAsked ? ['help', name] : undefined
}

/**
 * Any word may be a file name, even `-h` or `--x.png`. So only the flags of the command count as flags, up to
 * a `--`; all other words go after a `--`, where commander takes them literally.
 */
function flagsFirst(command: PromptCommand | undefined, words: readonly string[]): string[] {
  const known = new Map(command?.flags?.map(({ flag }) => [nameOf(flag), takesWord(flag)]))
  const end = words.indexOf('--')
  const before = end === -1 ? words : words.slice(0, end)
  const flags: string[] = []
  const others: string[] = []
  for (let at = 0; at < before.length; at++) {
    const word = before[at] as string
    const takes = known.get(word)
    if (takes === undefined) others.push(word)
    // Joined, so that commander takes whatever comes next. Where nothing does, that is for commander to find.
    else if (takes && at + 1 < before.length) flags.push(`${word}=${before[++at]}`)
    else if (takes) return [word]
    else flags.push(word)
  }
  return [...flags, '--', ...others, ...(end === -1 ? [] : words.slice(end + 1))]
}

function nameOf(flag: string): string {
  return flag.split(' ')[0] ?? ''
}

function takesWord(flag: string): boolean {
  return flag.includes(' ')
}

function programCalling(onCall: (call: Call) => void): Command {
  const all = new Command()
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .helpOption(false)
    .helpCommand(false)
    .enablePositionalOptions()
  for (const command of allCommands) {
    const subcommand = all.command(`${command.name} ${command.words}`.trim()).helpOption(false)
    if (command.alias !== undefined) subcommand.alias(command.alias)
    for (const { flag } of command.flags ?? []) subcommand.option(flag)
    subcommand.action(() => {
      const given = new Map(Object.entries(subcommand.opts<Record<string, unknown>>()))
      // commander keeps `--two-words` as `twoWords`.
      const flags = subcommand.options
        .map((option) => [option.long ?? '', option.attributeName()] as const)
        .filter(([, key]) => given.has(key))
        .map(([name, key]) => [name, String(given.get(key))] as const)
      onCall({ command, words: subcommand.processedArgs as unknown as CallWords, flags: new Map(flags) })
    })
  }
  return all
}

function complaint(error: CommanderError, name: string, words: readonly string[]): string {
  const command = findCommand(name)
  if (command === undefined) return unknownCommand(error, name)
  if (error.code === 'commander.missingArgument') {
    const missing = /'([^']+)'/.exec(error.message)?.[1] ?? 'word'
    const what = missing.includes('|') ? missing.replace('|', ' or ') : `a ${missing}`
    return `${command.name} needs ${what}: ${usageOf(command)}`
  }
  if (error.code === 'commander.optionMissingArgument') {
    const flag = /'(?:.*, )?(--[^']+)'/.exec(error.message)?.[1] ?? ''
    return `a word is missing after ${nameOf(flag)}: ${usageOf(command)} ${flag}`
  }
  if (command.words === '') return `${command.name} takes no words after it`
  const unquoted = command.words.includes('<path>') ? unquotedPath(words) : undefined
  if (unquoted !== undefined) return unquoted
  return `too many words: ${usageOf(command)}; put a name with spaces in quotes`
}

/** Enough of a mistyped name to recognise it. */
const shownCharactersMax = 60

function unknownCommand(error: CommanderError, name: string): string {
  const shown = name.length > shownCharactersMax ? `${name.slice(0, shownCharactersMax)}…` : name
  const similar = /\n\(Did you mean (?:one of )?(.+)\?\)$/.exec(error.message)?.[1]?.split(', ') ?? []
  const known = suggestionsFor(name)
  const suggested = known.length > 0 ? known : similar
  const advice = suggested.length === 0 ? 'help lists the commands' : didYouMean(suggested)
  return `unknown command "${shown}"; ${advice}`
}
