// Shows the main job end to end on loopback: a tracker and five clients, all real processes, share 256 MiB. The last
// client downloads from the other four, one of which is killed midway. Everything is in a temporary folder, on free
// ports.

import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import chalk from 'chalk'
import { Program } from './program.ts'

const sizeMiB = 256
const fileName = 'holiday.mp4'
const group = 'family'
const users = ['ann', 'ben', 'cem', 'dora', 'eva'] as const
/** Slow enough to watch, and to kill a client midway. */
const uploadLimit = '24M'

const folder = mkdtempSync(join(tmpdir(), 'coterie-demo-'))
const running: Program[] = []

function title(text: string): void {
  console.log(`\n${chalk.bold(text)}`)
}

async function startTracker(): Promise<string> {
  const tracker = new Program('tracker', 'tracker', ['127.0.0.1', '0', '--data-dir', join(folder, 'tracker')])
  running.push(tracker)
  const line = await tracker.next((text) => text.includes('listening on'))
  return line.split(' ').at(-1) ?? ''
}

async function startClient(user: string, tracker: string): Promise<Program> {
  const [host = '', port = ''] = tracker.split(':')
  const words = [
    '127.0.0.1',
    '0',
    host,
    port,
    '--data-dir',
    join(folder, user),
    '--upload-limit',
    uploadLimit,
  ]
  const client = new Program(user, 'client', words)
  running.push(client)
  await tell(client, `create_user ${user} secret-of-${user}`)
  await tell(client, `login ${user} secret-of-${user}`)
  return client
}

/** Types a command as a person would, and shows the command and its reply. */
async function tell(client: Program, line: string): Promise<void> {
  const reply = await client.say(line)
  console.log(`${chalk.cyan(client.name.padEnd(5))}> ${line.replaceAll(`${folder}/`, '')}`)
  console.log(`       ${chalk.dim(reply.replaceAll(`${folder}/`, ''))}`)
}

async function makeFile(): Promise<string> {
  const path = join(folder, fileName)
  const file = await open(path, 'w')
  for (let written = 0; written < sizeMiB; written += 8) await file.write(randomBytes(8 * 1024 * 1024))
  await file.close()
  return path
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function copyOf(user: string): string {
  return join(folder, `${user}-${fileName}`)
}

async function beginDownload(client: Program): Promise<void> {
  await tell(client, `download_file ${group} ${fileName} ${copyOf(client.name)}`)
}

function isDone(line: string): boolean {
  return line === `[C] [${group}] ${fileName}`
}

/** Shows the progress of a download until it is complete. Calls `onMidway` once, at 40 %. */
async function watch(client: Program, onMidway?: () => Promise<void>): Promise<void> {
  let told = false
  for (;;) {
    const state = await client.say('show_downloads --details')
    const details = (await client.next((line) => line.startsWith('    '))).trim()
    console.log(`${chalk.cyan(client.name.padEnd(5))}  ${details}`)
    if (isDone(state)) return
    const [done = 0, all = 1] = details.split(' of ').map((part) => Number.parseInt(part, 10))
    if (!told && done > all * 0.4) {
      told = true
      await onMidway?.()
    }
    await setTimeout(400)
  }
}

async function demo(): Promise<boolean> {
  const startedAtMs = performance.now()
  title('A tracker and five clients, each a process of its own')
  const tracker = await startTracker()
  console.log(`tracker  listening on ${tracker}`)
  const [ann, ben, cem, dora, eva] = (await Promise.all(users.map((user) => startClient(user, tracker)))) as [
    Program,
    Program,
    Program,
    Program,
    Program,
  ]

  title('Ann makes a group; the others ask to join, and she lets them in')
  await tell(ann, `create_group ${group}`)
  for (const client of [ben, cem, dora, eva]) {
    await tell(client, `join_group ${group}`)
    // Consumes Ann's notification, which would otherwise pass for the reply to her next command.
    const asked = await ann.next((line) => line.startsWith(`${client.name} asks to join`))
    console.log(`${chalk.cyan('ann'.padEnd(5))}  ${chalk.dim(asked)}`)
    await tell(ann, `accept_request ${group} ${client.name}`)
  }

  title(`Ann shares a file of ${sizeMiB} MiB; Ben, Cem and Dora fetch it from her and from each other`)
  await tell(ann, `upload_file ${await makeFile()} ${group}`)
  for (const client of [ben, cem, dora]) await beginDownload(client)
  await watch(ben)
  await Promise.all([watch(cem), watch(dora)])

  title('Eva fetches it from all four; Ann is killed midway')
  await tell(eva, `list_files ${group}`)
  await beginDownload(eva)
  await watch(eva, async () => {
    await ann.kill()
    console.log(chalk.yellow('ann    was killed (SIGKILL); the download goes on with the others'))
  })

  title('The copies')
  const original = await hashOf(join(folder, fileName))
  console.log(`${original}  the original`)
  let same = true
  for (const client of [ben, cem, dora, eva]) {
    const hash = await hashOf(copyOf(client.name))
    same &&= hash === original
    console.log(`${hash}  ${client.name}`)
  }
  for (const client of [ben, cem, dora, eva]) await client.quit()
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
  console.log(same ? chalk.green(`\nall copies are identical (${seconds} s)`) : chalk.red('\na copy differs'))
  return same
}

try {
  process.exitCode = (await demo()) ? 0 : 1
} finally {
  for (const program of running) await program.kill()
  rmSync(folder, { recursive: true, force: true })
}
