// The commands for the program itself, and the list of all commands with their help.

import { accept, refuse } from '../../../common/refusal.ts'
import type { PromptCommand, ReplyData } from './command.ts'
import { fullUsageOf, say, usageOf } from './command.ts'
import type { Line } from '../../../common/terminal/line.ts'
import { accountCommands } from './accounts.ts'
import { diagnosisCommands } from './diagnosis.ts'
import { downloadCommands } from './downloads.ts'
import { fileCommands } from './files.ts'
import { linkCommands } from './links.ts'
import { pageCommands } from './page.ts'
import { subscriptionCommands } from './subscriptions.ts'
import { groupCommands } from './groups.ts'
import { seeingCommands, stillFetching } from './seeing.ts'

const programCommands: readonly PromptCommand[] = [
  {
    name: 'help',
    words: '[command]',
    summary: 'list the commands, or explain one',
    examples: ['help', 'help download_file', 'download_file --help'],
    async run({ columns }, [name]: readonly (string | undefined)[]) {
      const isNarrow = columns !== undefined && columns < narrowColumns
      if (name === undefined)
        return accept({
          lines: isNarrow ? names() : overview(),
          data: { commands: allCommands.map(asData) },
        })
      const command = findCommand(name)
      if (command === undefined)
        return refuse('usage', `there is no command "${name}"; help lists the commands`)
      return accept({ lines: explanation(command), data: { commands: [asData(command)] } })
    },
  },
  {
    name: 'events',
    words: '',
    summary: 'show what happens, as it happens, until Ctrl-C',
    waits: true,
    async run({ interrupted }) {
      await interrupted()
      return say('stopped following events')
    },
  },
  {
    name: 'clear',
    words: '',
    summary: 'clear the screen',
    async run() {
      return accept({ lines: [], data: {}, clears: true })
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
  ['Files', [...fileCommands, ...linkCommands]],
  ['Subscriptions', subscriptionCommands],
  ['Downloads', [...downloadCommands, ...seeingCommands]],
  ['Trouble', diagnosisCommands],
  ['Program', [...pageCommands, ...programCommands]],
]

/** Every command, in the order of the help. */
export const allCommands: readonly PromptCommand[] = commandAreas.flatMap(([, commands]) => commands)

export function findCommand(name: string): PromptCommand | undefined {
  return allCommands.find((command) => command.name === name || command.alias === name)
}

function asData({ name, alias, words, summary, flags = [], examples = [] }: PromptCommand): ReplyData {
  return { name, ...(alias !== undefined && { alias }), words, summary, flags, examples }
}

/** Below that, the commands with their words would take several screens. */
const narrowColumns = 64

/** What somebody needs who is here for the first time. */
const firstSteps: readonly Line[] = [
  'create_user ann',
  'login ann',
  'create_group family',
  'upload_file ~/photo.jpg family',
  'join_group friends',
  'download_file friends "my film.mp4" ~',
].map((text) => ({ text: `  ${text}`, hanging: 4 }))

const quotes: Line = {
  text: 'Put a name with spaces in quotes. help <command> explains one command.',
  hanging: 0,
}

function overview(): Line[] {
  const width = Math.max(...allCommands.map((command) => usageOf(command).length))
  const line = (command: PromptCommand): Line => ({
    text: `  ${usageOf(command).padEnd(width)}  ${command.summary}`,
    hanging: width + 4,
  })
  return [
    { text: 'For example' },
    ...firstSteps,
    ...commandAreas.flatMap(([title, commands]) => [{ text: title }, ...commands.map(line)]),
    quotes,
  ]
}

/** The names alone. */
function names(): Line[] {
  return [
    { text: 'For example' },
    ...firstSteps,
    ...commandAreas.map(([title, commands]) => ({
      text: `${title}: ${commands.map(({ name }) => name).join(' ')}`,
      hanging: 2,
    })),
    quotes,
  ]
}

function explanation(command: PromptCommand): Line[] {
  const { examples = [], flags = [], alias, summary } = command
  const under = (text: string): Line => ({ text: `  ${text}`, hanging: 4 })
  return [
    ...examples.map((text) => ({ text, hanging: 4 })),
    { text: fullUsageOf(command), hanging: 4 },
    under(summary),
    ...flags.map(({ flag, summary: meaning }) => under(`${flag}  ${meaning}`)),
    ...(alias === undefined ? [] : [under(`also: ${alias}`)]),
  ]
}
