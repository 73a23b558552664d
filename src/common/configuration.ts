// Settings of a program from a file and from the environment, besides the flags of its command line. There is one table, that
// of the flags: a flag `--upload-limit` is the key `upload-limit` of the file and a variable COTERIE_CLIENT_UPLOAD_LIMIT.

import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { Command, Option } from 'commander'
import { Failure, sentenceOf, systemCode } from './failure.ts'

export interface Setting {
  readonly key: string
  readonly variable: string
  /** It has no value but `yes` or `no`. */
  readonly isSwitch: boolean
  readonly description: string
  /** Keys that cannot be set beside it. */
  readonly conflicts: readonly string[]
}

export type Environment = Readonly<Record<string, string | undefined>>

/** What says what to do this time, rather than how. */
const flagsOnly = new Set(['execute', 'file', 'version', 'help'])

/** The settings of a program, in the order of its help. */
export function settingsOf(program: Command): Setting[] {
  const options = program.options.filter((option) => !flagsOnly.has(option.name()) && !option.hidden)
  const conflictsOf = (option: Option): string[] =>
    options.filter((other) => rules(option, other) || rules(other, option)).map((other) => other.name())
  return options.map((option) => ({
    key: option.name(),
    variable: `COTERIE_${program.name()}_${option.name()}`.toUpperCase().replaceAll('-', '_'),
    isSwitch: !option.required && !option.optional,
    description: option.description,
    conflicts: conflictsOf(option),
  }))
}

/** Whether the first was declared with `conflicts` to the second; commander keeps that, but does not tell its types. */
function rules(one: Option, other: Option): boolean {
  const { conflictsWith } = one as unknown as { conflictsWith: readonly string[] }
  return conflictsWith.includes(other.attributeName())
}

/** `$XDG_CONFIG_HOME/coterie/<program>.conf`, by default under `~/.config` (XDG Base Directory 0.8). */
export function configurationFile(program: string, env: Environment): string {
  const configured = env['XDG_CONFIG_HOME']
  // The specification says to ignore a relative path.
  const base = configured && isAbsolute(configured) ? configured : join(homedir(), '.config')
  return join(base, 'coterie', `${program}.conf`)
}

/**
 * The words of a command line with what file and environment say in front of them, where later ones count more. Throws a
 * `usage` failure that names the line or the variable.
 */
export function withConfiguration(program: Command, words: readonly string[], env: Environment): string[] {
  const settings = settingsOf(program)
  const path = configurationFile(program.name(), env)
  const given = new Set(flagsIn(words))
  const isFree = ({ key, conflicts }: Setting): boolean =>
    !given.has(key) && !conflicts.some((other) => given.has(other))
  const fromEnvironment = readEnvironment(settings, env).filter(([setting]) => isFree(setting))
  for (const [{ key }] of fromEnvironment) given.add(key)
  const fromFile = readConfiguration(settings, readIfThere(path), path).filter(([setting]) => isFree(setting))
  return [...[...fromFile, ...fromEnvironment].flatMap(flagOf), ...words]
}

type Chosen = readonly [setting: Setting, value: string]

function flagOf([{ key, isSwitch }, value]: Chosen): string[] {
  if (!isSwitch) return [`--${key}=${value}`]
  return value === 'yes' ? [`--${key}`] : []
}

function flagsIn(words: readonly string[]): string[] {
  const end = words.indexOf('--')
  const before = end === -1 ? words : words.slice(0, end)
  return before.filter((word) => word.startsWith('--')).map((word) => word.slice(2).split('=')[0] ?? '')
}

function readEnvironment(settings: readonly Setting[], env: Environment): Chosen[] {
  return settings.flatMap((setting): Chosen[] => {
    const value = env[setting.variable]
    return value === undefined || value === '' ? [] : [[setting, checked(setting, value, setting.variable)]]
  })
}

/** A setting a line, `key value`; `path` is for what goes wrong. Throws a `usage` failure. */
export function readConfiguration(settings: readonly Setting[], text: string, path: string): Chosen[] {
  const found = new Map<string, Chosen>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [, key, value = ''] = /^\s*([^\s#]\S*)(?:\s+(.*?))?\s*$/.exec(line) ?? []
    if (key === undefined) continue
    const where = `${path}, line ${index + 1}`
    const setting = settings.find((each) => each.key === key)
    if (setting === undefined) throw new Failure('usage', `${where}: there is no setting "${key}"`)
    if (found.has(key)) throw new Failure('usage', `${where}: ${key} is set twice`)
    if (value === '') throw new Failure('usage', `${where}: ${key} has no value`)
    found.set(key, [setting, checked(setting, value, `${where}: ${key}`)])
  }
  return [...found.values()]
}

function checked({ isSwitch }: Setting, value: string, what: string): string {
  if (!isSwitch || value === 'yes' || value === 'no') return value
  throw new Failure('usage', `${what} is yes or no, not "${value}"`)
}

function isSeen(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = systemCode(error)
    // A service may have a home that it cannot look into: then nobody has put a file there for it.
    if (code === 'ENOENT' || code === 'ENOTDIR' || (code === 'EACCES' && !isSeen(path))) return ''
    throw new Failure('usage', `cannot read ${path}: ${sentenceOf(error)}`, error)
  }
}
