// Times a new version of a file for eight clients on the same machine that all have the old one, from the commands to the
// last: an eighth of its pieces are new, and the upload limit of its only seeder decides. Bound: 1.15 times what the seeder
// needs to give out the new bytes once.

import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pieceBytes } from '../../src/common/limits.ts'
import { group, inArena, makeFile } from '../arena.ts'
import { line, median, text } from './many-files.ts'

const clients = 8
const sizeMiB = 128
const changedPieces = (sizeMiB * 1024 * 1024) / pieceBytes / 8
const rateMiB = 1
const rounds = 3
const timeBound = 1.15

export async function measureVersion(): Promise<void> {
  await inArena(async (arena) => {
    const path = await makeFile(arena, 'image.bin', sizeMiB)
    const seeder = await arena.startMember('seeder')
    await seeder.say(`upload_file ${path} ${group}`, (printed) => printed.startsWith('sharing '))
    const members = []
    for (let member = 0; member < clients; member++) {
      const client = await arena.startMember(`member-${member}`)
      const into = join(arena.folder, `of ${member}`)
      mkdirSync(into)
      copyFileSync(path, join(into, 'image.bin'))
      await client.say(`download_file ${group} image.bin "${into}" --adopt`)
      members.push({ client, into })
    }
    await seeder.say(`limit upload ${rateMiB}M`)
    const times: number[] = []
    for (let round = 0; round < rounds; round++) {
      changePieces(path)
      await seeder.say(`upload_file ${path} ${group}`, (printed) => printed.startsWith('sharing '))
      const startedAtMs = performance.now()
      await Promise.all(
        members.map(async ({ client, into }) => {
          await client.say(`download_file ${group} image.bin "${into}" --overwrite`)
          await client.next((printed) => printed === `[C] [${group}] image.bin`)
        }),
      )
      times.push(performance.now() - startedAtMs)
    }
    const boundMs = (1000 * changedPieces * pieceBytes) / (rateMiB * 1024 * 1024)
    console.log(`${changedPieces} of ${changedPieces * 8} pieces are new: ${text(times)}`)
    console.log(line('last / bound', median(times) / boundMs, timeBound))
  })
}

/** Every eighth piece, all of it: of a piece that is partly here only the rest would be fetched. */
function changePieces(path: string): void {
  const bytes = readFileSync(path)
  for (let piece = 0; piece < changedPieces; piece++)
    randomBytes(pieceBytes).copy(bytes, 8 * piece * pieceBytes)
  writeFileSync(path, bytes)
}
