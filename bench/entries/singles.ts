// Times sharing small files one by one, by a script, from the start of its program to its end: in a client that runs only
// for it, at one that runs (as from a second terminal), and with replies in JSON. Beside it a bare loop, which hashes each
// file and appends a line to a file, flushed each time. Bound: 2 s for 1,500 files.

import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { group, inArena, type Arena } from '../arena.ts'
import { line, median, settleDisk, text, timed } from './many-files.ts'

const rounds = 3
const bytesEach = 200
const bounded = { count: 1500, seconds: 2 }

export async function measureSingles(count: number): Promise<void> {
  const kinds = { alone: [] as number[], second: [] as number[], json: [] as number[], bare: [] as number[] }
  for (let round = 0; round < rounds; round++)
    await inArena(async (arena) => {
      const owner = await arena.startMember('owner')
      const files = (name: string): string => makeFolder(arena, name, count)
      kinds.second.push(await timeOf(arena, files('second')))
      kinds.bare.push(await bareLoop(files('bare'), join(arena.folder, 'flushed')))
      await owner.quit()
      const json = files('json')
      kinds.alone.push(await timeOf(arena, files('alone')))
      kinds.json.push(await timeOf(arena, json, ['--json']))
    })
  console.log(`${count} files, a script      : ${text(kinds.alone)}`)
  console.log(`at a client that runs     : ${text(kinds.second)}`)
  console.log(`with JSON                 : ${text(kinds.json)}`)
  console.log(`hash and flush each, bare : ${text(kinds.bare)}`)
  if (count === bounded.count) console.log(line('in all', median(kinds.alone) / 1000, bounded.seconds, ' s'))
}

/** The names are those of no other folder. */
function makeFolder(arena: Arena, name: string, count: number): string {
  const folder = join(arena.folder, `files ${name}`)
  mkdirSync(folder)
  for (let file = 0; file < count; file++)
    writeFileSync(join(folder, `${name} ${file}.txt`), randomBytes(bytesEach))
  return folder
}

/** Milliseconds for a script with one command for each file. */
async function timeOf(arena: Arena, folder: string, options: readonly string[] = []): Promise<number> {
  const script = `${folder} script`
  const lines = readdirSync(folder).map((name) => `upload_file "${join(folder, name)}" ${group}\n`)
  writeFileSync(script, `login owner bench\n${lines.join('')}`)
  settleDisk()
  return timed(() => arena.runScript('owner', script, options))
}

function bareLoop(folder: string, path: string): Promise<number> {
  settleDisk()
  return timed(() => {
    const flushed = openSync(path, 'a')
    for (const name of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, name))
      const hashes = ['sha1', 'sha256'].map((hash) => createHash(hash).update(bytes).digest('hex'))
      writeSync(flushed, `${hashes.join(' ')} ${name}\n`)
      fdatasyncSync(flushed)
    }
    closeSync(flushed)
  })
}
