// `tracker backup <file>` and `tracker restore <file>`: their words, and what they print.

import { Command, CommanderError } from 'commander'
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { withConfiguration, type Environment } from '../common/configuration.ts'
import { counted } from '../common/counted.ts'
import { defaultDataFolder } from '../common/data-folder.ts'
import { Failure } from '../common/failure.ts'
import { nameOf } from '../common/started-as.ts'
import { formatSize } from '../common/sizes.ts'
import { readTrackerInfo } from '../common/tracker-info.ts'
import { trackerProgram } from './arguments.ts'
import { backUp } from './backup.ts'
import { isKey, type Contents } from './data-copy.ts'
import { folderOfList, readKnownFolders } from './folder-of-list.ts'
import { restore } from './restore.ts'

interface Options {
  dataDir?: string
  overwrite?: boolean
}

const summaries = {
  backup: 'Saves the data of the trackers of one machine in one file, while they run or not.',
  restore:
    'Puts a backup, or a copy of log.sqlite, into a data folder without data. Stop its trackers first.',
}
type Verb = keyof typeof summaries

/** Whether a command line of the tracker, without the program's name, is for this and starts no tracker. */
export function isCopyCommand(words: readonly string[]): boolean {
  return words[0] !== undefined && Object.hasOwn(summaries, words[0])
}

/** Resolves to what to print; `command` is how it was started. Rejects with a failure that says what is wrong. */
export async function runCopyCommand(
  words: readonly string[],
  env: Environment,
  command = './tracker',
): Promise<string> {
  const [verb, ...rest] = words as [Verb, ...string[]]
  let text = ''
  const program = copyProgram(verb, command, (output) => (text += output))
  try {
    program.parse(rest, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return text
    throw new Failure('usage', error.message.replace(/^error: /, '').replace(/\s+/g, ' '), error)
  }
  const options = program.opts<Options>()
  const [file = '', list] = program.args
  const path = resolve(file)
  const dataFolder = dataFolderOf(options, list, env)
  return verb === 'backup'
    ? savedText(path, dataFolder)
    : restoredText(path, dataFolder, options.overwrite === true)
}

function copyProgram(verb: Verb, command: string, write: (output: string) => void): Command {
  const program = new Command(`${nameOf(command)} ${verb}`)
    .description(summaries[verb])
    .argument('<file>', verb === 'backup' ? 'where to save it; there must be no such file yet' : 'the backup')
    .argument('[tracker_info.txt]', 'the list of the trackers, by which their data folder is found')
    .option('--data-dir <folder>', 'the data folder')
  if (verb === 'restore')
    program.option('--overwrite', 'replace what is in the folder; the old log is kept beside the new one')
  return program
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => undefined })
}

/** As the tracker itself would choose it; without a list, the only folder that there is. Throws a `usage` failure. */
function dataFolderOf({ dataDir }: Options, list: string | undefined, env: Environment): string {
  const given = dataDir ?? configuredFolder(env)
  if (given !== undefined) return resolve(given)
  if (list !== undefined)
    return folderOfList(
      readTrackerInfo(list, (path) => readFileSync(path, 'utf8')),
      readKnownFolders,
    ).path
  const [only, ...others] = readKnownFolders(dirname(defaultDataFolder('tracker')))
  if (only !== undefined && others.length === 0) return only.path
  throw new Failure(
    'usage',
    `the data folder is ${only === undefined ? 'missing' : 'one of several'}; name it with --data-dir, or name the list of its trackers`,
  )
}

function configuredFolder(env: Environment): string | undefined {
  const flag = '--data-dir='
  const word = withConfiguration(trackerProgram(), [], env).find((each) => each.startsWith(flag))
  return word?.slice(flag.length)
}

async function savedText(path: string, dataFolder: string): Promise<string> {
  const saved = await backUp(dataFolder, path)
  return [
    `saved ${dataFolder} in ${path} (${formatSize(saved.sizeBytes)}): ${summaryOf(saved)}`,
    'Keep it as safe as the data folder: it has keys, and what passwords are checked by.',
    '',
  ].join('\n')
}

async function restoredText(path: string, dataFolder: string, replaces: boolean): Promise<string> {
  const restored = await restore(path, dataFolder, replaces)
  const lines = [`restored ${path} into ${dataFolder}: ${summaryOf(restored)}`]
  if (restored.before !== undefined) lines.push(`What was there before is in ${restored.before}`)
  if (!restored.files.some(isKey))
    lines.push('There are no keys in it: where the folder has none, clients will have to trust new ones.')
  return [...lines, ''].join('\n')
}

function summaryOf({ position, users, groups, files }: Contents): string {
  const keys = files.filter(isKey).length
  const counts = [counted(users, 'user'), counted(groups, 'group'), counted(keys, 'tracker key')].join(', ')
  return `log position ${position}, ${counts}`
}
