// What a Tab completes: commands, flags, and the words of each command by what they name. Looks only at what is here:
// what was learnt from listings and events, and the folders of this machine.

import { readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { escapeText } from '../../common/escape.ts'
import { completionOf, type Completion } from '../../common/terminal/completion.ts'
import { expandHome } from '../../common/home-folder.ts'
import type { PromptCommand } from './commands/command.ts'
import { allCommands, findCommand } from './commands/program.ts'
import { isForDownloads, type KnownNames } from './known-names.ts'
import { quoteWord, splitWords } from './text/words.ts'

const commandNames = allCommands.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]))

/** Never asks anybody: `known` is what was heard of so far. */
export function complete(line: string, known: KnownNames): Completion {
  const { before, typed, word } = lastWord(line)
  return completionOf(typed, candidatesFor(before, word, known))
}

/** For a word behind these. */
function candidatesFor(before: readonly string[], word: string, known: KnownNames): Iterable<string> {
  const [name, ...words] = before
  if (name === undefined) return startingWith(commandNames, word)
  const command = findCommand(name)
  if (command === undefined) return []
  if (command.name === 'help') return startingWith(commandNames, word)
  if (word.startsWith('--')) {
    const flags = (command.flags ?? []).map(({ flag }) => flag.split(' ')[0] ?? '')
    return startingWith(flags, word)
  }
  const others = words.filter((each) => !each.startsWith('--'))
  // `<needed>` or `[optional]`
  const kinds = command.words.split(' ').map((each) => each.slice(1, -1))
  const kind = kinds[others.length]
  if (kind === 'path' || kind === 'destination') return pathsFor(word)
  const group = others[kinds.indexOf('group')] ?? ''
  const isForFiles = !isForDownloads(command.name) || others[0] === 'upload'
  return startingWith(namesFor(command, kind, { group, isForFiles }, known), word)
}

function namesFor(
  { name }: PromptCommand,
  kind: string | undefined,
  { group, isForFiles }: { readonly group: string; readonly isForFiles: boolean },
  known: KnownNames,
): Iterable<string> {
  if (kind === 'group') {
    if (name === 'join_group') return known.groups('none')
    return isForFiles ? known.groups('any') : known.groupsOfDownloads(name)
  }
  if (kind === 'name') return isForFiles ? known.files(group) : known.downloads(name, group)
  if (kind === 'name/pattern') return known.folders(group)
  if (kind === 'user' && name === 'remove_member') return known.members(group)
  if (kind === 'user' && name.endsWith('_request')) return known.requests(group)
  return kind?.includes('|') === true ? kind.split('|') : []
}

function* startingWith(names: Iterable<string>, word: string): Iterable<string> {
  for (const name of names) if (name.startsWith(word) && isShown(name)) yield `${quoteWord(name)} `
}

/** They are typed as they are, so a name that would disturb the terminal is none. */
function isShown(name: string): boolean {
  // Nearly every name, and quick.
  return /^[\x20-\x7e]*$/.test(name) || escapeText(name) === name
}

/** Entries of the folder that the word names so far; a folder ends in a slash, and the word goes on behind it. */
function pathsFor(word: string): string[] {
  const slash = word.lastIndexOf('/')
  const folder = word.slice(0, slash + 1)
  const begun = word.slice(slash + 1)
  try {
    return readdirSync(word === '~' ? homedir() : expandHome(folder === '' ? '.' : folder), {
      withFileTypes: true,
    })
      .filter(
        ({ name }) => name.startsWith(begun) && (begun !== '' || !name.startsWith('.')) && isShown(name),
      )
      .map((entry) => {
        const path = quoteWord(folder + entry.name + (entry.isDirectory() ? '/' : ''))
        // Left open, so that the next Tab goes on in it.
        return entry.isDirectory() ? path.replace(/'$/, '') : `${path} `
      })
  } catch {
    // No folder, or one that may not be read: there is nothing to offer.
    return []
  }
}

/** The complete words of a line, and the last one: as it was typed, and as it is meant. */
function lastWord(line: string): { before: string[]; typed: string; word: string } {
  // The last place from which the rest is one word, whatever quotes are open in it.
  for (const { index } of line.matchAll(/(?<=^|[ \t])(?![ \t])|$/g)) {
    const head = splitWords(line.slice(0, index))
    const typed = line.slice(index)
    const word = openWord(typed)
    if (head.ok && word !== undefined) return { before: head.value, typed, word }
  }
  return { before: [], typed: line, word: line }
}

/** What one word means whose quote may still be open; undefined if these are several. */
function openWord(typed: string): string | undefined {
  if (typed === '') return ''
  for (const end of ['', "'", '"']) {
    const words = splitWords(typed + end)
    if (words.ok && /(^|[^\\])[ \t]$/.test(typed) && end === '') continue
    if (words.ok) return words.value.length === 1 ? words.value[0] : undefined
  }
  return undefined
}
