// Times sharing small files one by one, by a script for one client that runs only for it: from its start to its end.
// Bound: 2 s for 1,500 of them.

import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { group, inArena } from '../arena.ts'
import { line, median, text, timed } from './many-files.ts'

const count = 1500
const rounds = 3
const boundSeconds = 2

export async function measureSingles(): Promise<void> {
  await inArena(async (arena) => {
    const owner = await arena.startMember('owner')
    await owner.quit()
    const times: number[] = []
    for (let round = 0; round < rounds; round++) {
      const folder = join(arena.folder, `round ${round}`)
      mkdirSync(folder)
      for (let file = 0; file < count; file++)
        writeFileSync(join(folder, `${round} ${file}.txt`), randomBytes(200))
      const script = join(arena.folder, `script ${round}`)
      writeFileSync(script, `login owner bench\n${uploadsOf(folder)}`)
      times.push(await timed(() => arena.runScript('owner', script)))
    }
    console.log(`${count} files shared by a script: ${text(times)}`)
    console.log(line('in all', median(times) / 1000, boundSeconds, ' s'))
  })
}

/** One command for each file. */
function uploadsOf(folder: string): string {
  const names = readdirSync(folder)
  if (names.length !== count) throw new Error(`there are ${names.length} files`)
  return names.map((name) => `upload_file "${join(folder, name)}" ${group}\n`).join('')
}
