// Times fetching a folder of many small files by one client from another on the same machine, beside `rsync -a` from a
// daemon on loopback and `cp -r` of the same folder; and measures the resident memory of both clients. Asked: no slower
// than rsync, and 250 MiB; aimed at: twice the time of cp.

import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { group, inArena, peakMiB, type Arena } from '../arena.ts'
import {
  line,
  makeFiles,
  median,
  memoryBoundMiB,
  settleDisk,
  text,
  timed,
  type ManyFiles,
} from './many-files.ts'

const rounds = 3

export async function measureFetching(files: ManyFiles): Promise<void> {
  await inArena(async (arena) => {
    const folder = join(arena.folder, 'many')
    makeFiles(folder, files)
    const seeder = await arena.startMember('seeder')
    await seeder.say(`upload_file "${folder}" ${group}`, (printed) => printed.startsWith('sharing '))
    const client = await arena.startMember('fetcher')
    const daemon = await startDaemon(arena)
    const fetch = async (into: string): Promise<void> => {
      await client.say(`download_file ${group} many "${into}"`, (printed) =>
        printed.startsWith('downloading '),
      )
      await client.next((printed) => printed === `[C] [${group}] many`)
    }
    const rsync = (into: string): Buffer => execFileSync('rsync', ['-a', `${daemon.address}/many`, into])
    const cp = (into: string): Buffer => execFileSync('cp', ['-r', folder, into])
    const times = { fetch: [] as number[], rsync: [] as number[], cp: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      for (const [name, work] of Object.entries({ fetch, rsync, cp })) {
        // Nothing is removed until the end: for minutes ext4 looks at each inode of what was removed before it makes a
        // file nearby, which takes several times as long as making it.
        const into = join(arena.folder, `${name} ${round}`)
        mkdirSync(into)
        settleDisk()
        times[name as keyof typeof times].push(await timed(() => work(into)))
        if (name === 'fetch') await client.say(`stop_share ${group} many`)
      }
    }
    daemon.stop()
    console.log(`coterie             ${text(times.fetch)}`)
    console.log(`rsync -a            ${text(times.rsync)}`)
    console.log(`cp -r               ${text(times.cp)}`)
    console.log(line('coterie / rsync', median(times.fetch) / median(times.rsync), 1))
    console.log(line('coterie / cp', median(times.fetch) / median(times.cp), 2))
    console.log(line('memory of the sharer', peakMiB(seeder), memoryBoundMiB, ' MiB', 0))
    console.log(line('of the other', peakMiB(client), memoryBoundMiB, ' MiB', 0))
  })
}

/** One that gives out all of the arena. */
async function startDaemon(arena: Arena): Promise<{ address: string; stop: () => void }> {
  const port = await freePort()
  const configuration = join(arena.folder, 'rsyncd.conf')
  writeFileSync(configuration, `use chroot = no\nuid = root\ngid = root\n[all]\npath = ${arena.folder}\n`)
  const words = [
    '--daemon',
    '--no-detach',
    `--port=${port}`,
    '--address=127.0.0.1',
    `--config=${configuration}`,
  ]
  const daemon = spawn('rsync', words, { stdio: 'ignore' })
  while (!(await answers(port))) await setTimeout(20)
  return { address: `rsync://127.0.0.1:${port}/all`, stop: () => daemon.kill() }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0))
    })
  })
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    }).on('error', () => resolve(false))
  })
}
