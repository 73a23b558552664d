// Times sharing a folder of many small files that are in the page cache, from the command to the reply, beside
// `tar c | sha1sum` of the same folder; and measures the resident memory of the client. Bounds: twice the time of tar,
// and 250 MiB.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { group, inArena, peakMiB } from '../arena.ts'
import { line, makeFiles, median, memoryBoundMiB, text, timed, type ManyFiles } from './many-files.ts'

const timeBound = 2
const rounds = 3

export async function measureSharing(files: ManyFiles): Promise<void> {
  const { count, kibibytes } = files
  await inArena(async (arena) => {
    const folder = join(arena.folder, 'many')
    makeFiles(folder, files)
    const client = await arena.startMember('sharer')
    const tar = (): Buffer => execFileSync('sh', ['-c', 'tar c many | sha1sum'], { cwd: arena.folder })
    const upload = async (): Promise<void> => {
      const reply = await client.say(`upload_file "${folder}" ${group}`)
      if (!reply.startsWith(`sharing many/ in ${group} (${count} files`)) throw new Error(reply)
    }
    const [ours, theirs]: [number[], number[]] = [[], []]
    // The first time brings all of it into the page cache.
    tar()
    for (let round = 0; round < rounds; round++) {
      theirs.push(await timed(tar))
      if (round > 0) await client.say(`stop_share ${group} many`)
      ours.push(await timed(upload))
    }
    writeFileSync(join(folder, 'part 0', 'file 0.bin'), 'changed')
    const nextMs = await timed(upload)
    console.log(`${count} files of ${kibibytes} KiB`)
    console.log(`coterie             ${text(ours)}`)
    console.log(`with one changed    ${(nextMs / 1000).toFixed(2)} s`)
    console.log(`tar c | sha1sum     ${text(theirs)}`)
    console.log(line('coterie / tar', median(ours) / median(theirs), timeBound))
    console.log(line('largest memory', peakMiB(client), memoryBoundMiB, ' MiB', 0))
  })
}
