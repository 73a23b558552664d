// Every file of the manual that is made from the tables of the programs, and how it has to be.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { version } from '../common/version.ts'
import { completionsFor, shells } from './completions.ts'
import { manPage } from './man-page.ts'
import { manuals } from './manual.ts'
import { commandTables, optionTable, settingTable } from './markdown.ts'

/** The files by their path in `root`, with the text that each has to have. */
export function manualFiles(root: string): Map<string, string> {
  const files = new Map<string, string>()
  const commands = manuals.map(({ command }) => command)
  for (const manual of manuals) {
    const others = commands.filter((command) => command !== manual.command)
    files.set(join('docs', 'man', `${manual.command}.1`), manPage(manual, version, others))
  }
  for (const shell of shells)
    files.set(join('docs', 'completions', `coterie.${shell}`), completionsFor(shell, manuals))
  const reference = join('docs', 'commands.md')
  files.set(reference, withTables(readFileSync(join(root, reference), 'utf8')))
  const configuration = join('docs', 'configuration.md')
  files.set(
    configuration,
    manuals.reduce(
      (text, manual) => replacePart(text, `settings of the ${manual.name}`, settingTable(manual)),
      readFileSync(join(root, configuration), 'utf8'),
    ),
  )
  return files
}

/** Puts the tables between the marks that say where they belong. */
function withTables(text: string): string {
  return manuals.reduce((all, manual) => {
    const withOptions = replacePart(all, `options of the ${manual.name}`, optionTable(manual))
    return manual.areas.length === 0
      ? withOptions
      : replacePart(withOptions, `commands of the ${manual.name}`, commandTables(manual))
  }, text)
}

/** Throws when the marks are missing: then there is no place for the part. */
function replacePart(text: string, name: string, part: string): string {
  const [begin, end] = [`<!-- ${name}, made by npm run manual -->`, `<!-- end of the ${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to === -1) throw new Error(`the document lacks the marks "${begin}" and "${end}"`)
  return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`
}
