// The manual page of a program, in the macros of man(7). Pure.

import type { PromptCommand } from '../client/prompt/commands/command.ts'
import { fullUsageOf } from '../client/prompt/commands/command.ts'
import type { Manual } from './manual.ts'

/** The text of `<command>.1`; `others`: the commands that it refers to. */
export function manPage(
  { command: title, description, usages, options, areas }: Manual,
  version: string,
  others: readonly string[],
): string {
  return [
    `.TH ${title.toUpperCase()} 1 "" "coterie ${version}" "Coterie"`,
    '.SH NAME',
    `${plain(title)} \\- ${plain(description.replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    ...usages.flatMap((usage, index) => [...(index === 0 ? [] : ['.br']), `.B ${title}`, plain(usage)]),
    '.SH DESCRIPTION',
    plain(description),
    '.SH OPTIONS',
    ...options.flatMap(({ flags, description: text }) => ['.TP', `.B ${plain(flags)}`, plain(text)]),
    ...(areas.length === 0 ? [] : ['.SH COMMANDS']),
    ...areas.flatMap(([area, commands]) => [`.SS ${plain(area)}`, ...commands.flatMap(entryOf)]),
    '.SH SEE ALSO',
    ...others.map((command) => `.BR ${plain(command)} (1)`),
    '',
  ].join('\n')
}

function entryOf(command: PromptCommand): string[] {
  const details = (command.flags ?? []).flatMap(({ flag, summary }) => ['.br', plain(`${flag}: ${summary}`)])
  return ['.TP', `.B ${plain(fullUsageOf(command))}`, plain(command.summary), ...details]
}

/** Escapes what troff would read as its own. */
function plain(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-')
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped
}
