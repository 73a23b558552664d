// The commands for the files of a group: sharing, listing and fetching them.

import { basename, resolve } from 'node:path'
import { plainNameProblem } from '../../../common/names.ts'
import { accept, refuse, type Answer } from '../../../common/refusal.ts'
import type { Operations } from '../../operations.ts'
import type { Progress, PromptCommand, Reply } from './command.ts'
import { list, withData } from './command.ts'
import { expandHome } from '../../../common/home-folder.ts'
import { hashingProgress } from './progress.ts'
import { fileRow, longTable, tableLines, treeRow, uploadedLines, versionRow } from './replies.ts'
import { quoteWord } from '../text/words.ts'
import { afterDownloads } from './after-downloads.ts'
import { isThere, unquotedPath } from './unquoted-path.ts'

/** Some systems of this kind take the group first: swaps the words where only that order makes sense. */
function pathFirst(one: string, other: string): [path: string, group: string] {
  const isSwapped = plainNameProblem('group', one) === undefined && isThere(other) && !isThere(one)
  return isSwapped ? [other, one] : [one, other]
}

async function hashingOf(operations: Operations, path: string, group: string): Promise<Progress | undefined> {
  const all = await operations.showHashing()
  const file = all.find((each) => each.path === resolve(path) && each.group === group)
  return file && hashingProgress(file)
}

async function listFolder(
  operations: Operations,
  terminal: boolean,
  group: string,
  part: string,
): Promise<Answer<Reply>> {
  const answer = await operations.listFolder(group, part)
  if (!answer.ok) return answer
  const files = answer.value
  const lines = await longTable(files, (entry) => treeRow(entry, terminal), terminal)
  const example = files.find(({ kind }) => kind !== 'folder')?.path ?? ''
  const [name = ''] = part.split('/')
  const hint = `to fetch one: download_file ${quoteWord(group)} ${quoteWord(`${name}/${example}`)} <destination>`
  return withData(list(lines, `nothing is in ${part}`, hint), { group, files })
}

export const fileCommands: readonly PromptCommand[] = [
  {
    name: 'upload_file',
    words: '<path> <group>',
    summary: 'share a file or folder in a group',
    examples: [
      'upload_file ~/photo.jpg family',
      'upload_file "/tmp/my photo.jpg" family',
      'upload_file ~/photos family',
    ],
    mayTakeLong: true,
    flags: [{ flag: '--skip-special', summary: 'leave out links, pipes, sockets and devices of a folder' }],
    besideOthers(words) {
      const [path, group] = pathFirst(expandHome(words[0]), expandHome(words[1]))
      return `${group}/${basename(path)}`
    },
    endedBy(words) {
      const [path, group] = pathFirst(expandHome(words[0]), expandHome(words[1]))
      return `stop_share ${quoteWord(group)} ${quoteWord(basename(path))}`
    },
    async run({ operations, terminal, showReading, reportProgress }, words, flags) {
      const [path, group] = pathFirst(expandHome(words[0]), expandHome(words[1]))
      // The group was forgotten, too.
      const unquoted = isThere(path) ? undefined : unquotedPath(words.slice(0, 2))
      if (unquoted !== undefined) return refuse('usage', unquoted)
      const uploading = flags.has('--skip-special')
        ? operations.uploadFile(path, group, { skipSpecial: true })
        : operations.uploadFile(path, group)
      reportProgress(uploading, () => hashingOf(operations, path, group))
      showReading(uploading)
      const answer = await uploading
      if (!answer.ok) return answer
      const shared = answer.value
      const lines = uploadedLines(shared, terminal)
      const hint = `others get it with: download_file ${quoteWord(shared.group)} ${quoteWord(shared.name)} <destination>`
      return accept({ lines, hint, data: { ...shared } })
    },
  },
  {
    name: 'list_files',
    words: '<group> [name/pattern]',
    summary: 'list the files of a group, or what is in a folder',
    examples: [
      'list_files family',
      'list_files family --details',
      'list_files family photos/',
      "list_files family 'photos/**/*.jpg'",
    ],
    flags: [{ flag: '--details', summary: 'add the version of each, since when, and by whom' }],
    async run(
      { operations, terminal },
      [group, part]: readonly [string, string | undefined, unknown],
      flags,
    ) {
      if (part !== undefined) return listFolder(operations, terminal, group, part)
      const answer = await (flags.has('--details')
        ? operations.listFiles(group, { details: true })
        : operations.listFiles(group))
      if (!answer.ok) return answer
      const hint = `to fetch one: download_file ${quoteWord(group)} <name> <destination>`
      const files = answer.value
      const lines = tableLines(
        files.map((file) =>
          fileRow(file, terminal, terminal && files.some((one) => one.files !== undefined)),
        ),
        terminal,
      )
      return withData(list(lines, `no files in ${group}`, hint), { group, files })
    },
  },
  {
    name: 'list_versions',
    words: '<group> <name>',
    summary: 'list the versions that a file has had, the newest first',
    examples: ['list_versions family photo.jpg'],
    async run({ operations, terminal }, [group, name]) {
      const answer = await operations.listVersions(group, name)
      if (!answer.ok) return answer
      const versions = answer.value
      const lines = tableLines(
        versions.map((version) => versionRow(version, terminal)),
        terminal,
      )
      return accept({ lines, data: { group, name, versions } })
    },
  },
  {
    name: 'download_file',
    words: '<group> <name> <destination>',
    summary: 'fetch a file, a folder or a part of one into a folder, or to a path you name',
    examples: [
      'download_file family photo.jpg ~',
      'download_file family "my photo.jpg" ~/photos/new.jpg',
      'download_file family photos/2024 ~',
      "download_file family 'photos/**/*.jpg' ~/pictures",
    ],
    begins: 'download',
    flags: [
      {
        flag: '--overwrite',
        summary: 'replace the file that is at the destination, or a folder that is an earlier version',
      },
      { flag: '--adopt', summary: 'share what is there, if it is the same; fetch nothing' },
      { flag: '--from <path>', summary: 'take what a file or folder here has of it, and fetch the rest' },
    ],
    async run({ operations, showReading }, [group, name, destination], flags) {
      const from = flags.get('--from')
      const answer = await operations.downloadFile(group, name, expandHome(destination), {
        overwrite: flags.has('--overwrite'),
        ...(flags.has('--adopt') && { adopt: true }),
        // In the folder of this terminal, which may be another one than that of the client.
        ...(from !== undefined && { from: resolve(expandHome(from)) }),
      })
      if (!answer.ok) return answer
      if (answer.value.adopted === true)
        return accept({
          lines: [{ text: `${answer.value.destination} is ${name} from ${group} already, and is shared` }],
          data: { group, name, ...answer.value },
        })
      // A file or a part of it may be there.
      showReading()
      const lines = [{ text: `downloading ${name} from ${group} to ${answer.value.destination}` }]
      if (answer.value.waiting)
        lines.push({ text: `nobody who has ${name} is online; the download begins as soon as somebody is` })
      return accept({ lines, data: { group, name, ...answer.value, adopted: false } })
    },
  },
  {
    name: 'stop_share',
    words: '<group> <name>',
    summary: 'stop sharing a file or folder; it stays on your disk',
    examples: ['stop_share family photo.jpg'],
    waits: true,
    async run(surroundings, [group, name]) {
      const free = await afterDownloads(surroundings, group, name)
      if (!free.ok) return free
      const answer = await surroundings.operations.stopShare(group, name)
      if (!answer.ok) return answer
      const lines = [{ text: `stopped sharing ${name} in ${group}` }]
      if (!answer.value.isTold)
        lines.push({ text: 'no tracker answers; the trackers are told as soon as one does' })
      return accept({ lines, data: { group, name, ...answer.value } })
    },
  },
]
