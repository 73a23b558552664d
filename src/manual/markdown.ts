// The tables of docs/commands.md. Pure.

import { fullUsageOf } from '../client/prompt/commands/command.ts'
import type { Manual } from './manual.ts'

/** The commands by area: how each is typed, and what it does. */
export function commandTables({ areas }: Manual): string {
  return areas
    .map(([area, commands]) =>
      table(
        [area, ''],
        commands.map((command) => {
          const details = (command.flags ?? []).map(({ flag, summary }) => `\`${flag}\`: ${summary}`)
          const also = command.alias === undefined ? [] : [`also: \`${command.alias}\``]
          return [code(fullUsageOf(command)), [command.summary, ...details, ...also].join('; ')]
        }),
      ),
    )
    .join('\n\n')
}

/** The options of a program, with what can stand behind its name. */
export function optionTable({ name, usages, options }: Manual): string {
  const shown = usages.map((usage) => `    ./${name} ${usage}`).join('\n')
  const rows = options.map(({ flags, description }) => [code(flags), description])
  return `${shown}\n\n${table([`option of the ${name}`, ''], rows)}`
}

/** What can stand in the file of a program, or in the environment. */
export function settingTable({ name, settings }: Manual): string {
  const rows = settings.map(({ key, variable, isSwitch, description }) => [
    code(isSwitch ? `${key} yes` : key),
    code(variable),
    description,
  ])
  return table([`${name}.conf`, 'variable', ''], rows)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

function code(text: string): string {
  return `\`${text}\``
}
