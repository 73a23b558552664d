// The commands for the program itself, and the list of all commands with their help.

import { accept, refuse } from '../../../common/refusal.ts'
import type { PromptCommand, ReplyData } from './command.ts'
import { fullUsageOf, say, usageOf } from './command.ts'
import type { Line } from '../text/line.ts'
import { accountCommands } from './accounts.ts'
import { diagnosisCommands } from './diagnosis.ts'
import { downloadCommands } from './downloads.ts'
import { fileCommands } from './files.ts'
import { groupCommands } from './groups.ts'
import { seeingCommands, stillFetching } from './seeing.ts'

const programCommands: readonly PromptCommand[] = [
  {
    name: 'help',
    words: '[command]',
    summary: 'list the commands, or explain one',
    async run(_surroundings, [name]: readonly (string | undefined)[]) {
      if (name === undefined)
        return accept({ lines: overview(), data: { commands: allCommands.map(asData) } })
      const command = findCommand(name)
      if (command === undefined)
        return refuse('usage', `there is no command "${name}"; help lists the commands`)
      return accept({ lines: explanation(command), data: { commands: [asData(command)] } })
    },
  },
  {
    name: 'events',
    words: '',
    summary: 'show what happens, as it happens, until it is interrupted',
    waits: true,
    async run({ interrupted }) {
      await interrupted()
      return say('stopped following events')
    },
  },
  {
    name: 'quit',
    alias: 'exit',
    words: '',
    summary: 'stop at once; downloads resume at the next login',
    async run({ operations, terminal, endsClient }) {
      const fetching = terminal && endsClient ? await stillFetching(operations) : undefined
      const said = fetching === undefined ? [] : [{ text: fetching }]
      return accept({ lines: [...said, { text: 'bye' }], data: {}, quits: true })
    },
  },
]

/** The commands by area, in the order of the help. */
export const commandAreas: readonly (readonly [title: string, commands: readonly PromptCommand[]])[] = [
  ['Accounts', accountCommands],
  ['Groups', groupCommands],
  ['Files', fileCommands],
  ['Downloads', [...downloadCommands, ...seeingCommands]],
  ['Trouble', diagnosisCommands],
  ['Program', programCommands],
]

/** Every command, in the order of the help. */
export const allCommands: readonly PromptCommand[] = commandAreas.flatMap(([, commands]) => commands)

export function findCommand(name: string): PromptCommand | undefined {
  return allCommands.find((command) => command.name === name || command.alias === name)
}

function asData({ name, alias, words, summary, flags = [] }: PromptCommand): ReplyData {
  return { name, ...(alias !== undefined && { alias }), words, summary, flags }
}

function overview(): Line[] {
  const width = Math.max(...allCommands.map((command) => usageOf(command).length))
  const line = (command: PromptCommand): Line => ({
    text: `  ${usageOf(command).padEnd(width)}  ${command.summary}`,
  })
  return [
    ...commandAreas.flatMap(([title, commands]) => [{ text: title }, ...commands.map(line)]),
    { text: 'Names with spaces go in quotes: download_file g1 "my photo.jpg" .' },
  ]
}

function explanation(command: PromptCommand): Line[] {
  const lines = [{ text: fullUsageOf(command) }, { text: `  ${command.summary}` }]
  for (const { flag, summary } of command.flags ?? []) lines.push({ text: `  ${flag}  ${summary}` })
  if (command.alias !== undefined) lines.push({ text: `  also: ${command.alias}` })
  return lines
}
