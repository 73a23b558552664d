// What the manual of a program is made of: its own table of options, and the prompt's table of commands.

import type { Command } from 'commander'
import { clientProgram } from '../client/arguments.ts'
import type { PromptCommand } from '../client/prompt/commands/command.ts'
import { commandAreas } from '../client/prompt/commands/program.ts'
import { settingsOf, type Setting } from '../common/configuration.ts'
import { trackerProgram } from '../tracker/arguments.ts'

export interface ManualOption {
  /** `-e, --execute <command>`. */
  readonly flags: string
  readonly description: string
}

export interface Manual {
  readonly name: 'client' | 'tracker'
  /** What starts it where it is installed. */
  readonly command: 'coterie' | 'coterie-tracker'
  readonly description: string
  /** What can stand behind the name of the program. */
  readonly usages: readonly string[]
  readonly options: readonly ManualOption[]
  readonly settings: readonly Setting[]
  /** What can be typed into it, by area; empty for the tracker. */
  readonly areas: readonly (readonly [title: string, commands: readonly PromptCommand[]])[]
}

export const manuals: readonly Manual[] = [
  { name: 'client', command: 'coterie', ...partsOf(clientProgram()), areas: commandAreas },
  { name: 'tracker', command: 'coterie-tracker', ...partsOf(trackerProgram()), areas: [] },
]

function partsOf(program: Command): Pick<Manual, 'description' | 'usages' | 'options' | 'settings'> {
  const help = program.createHelp()
  const options = help.visibleOptions(program).map((option) => ({
    flags: help.optionTerm(option),
    description: help.optionDescription(option),
  }))
  const usages = program
    .usage()
    .split('\n')
    .map((line) => line.trim().replace(new RegExp(`^${program.name()} `), ''))
  return { description: program.description(), usages, options, settings: settingsOf(program) }
}
