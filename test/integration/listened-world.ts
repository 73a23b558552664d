// A tracker, Ann who shares a file, and Ben who fetches it, with somebody on the lines between them. What nobody on a
// line may learn, and what was learnt.

import { writeFileSync } from 'node:fs'
import { fingerprintOf, loadIdentity } from '../../src/common/security/identity.ts'
import type { Program } from './programs.ts'
import { Line, type LineOptions } from './recording-proxy.ts'
import { MiB, type World } from './world.ts'

/** So long that none of them stands in random bytes by chance. */
export const names = {
  ann: 'annabel-lee-1849',
  ben: 'benjamin-button-1922',
  group: 'the-secret-society',
  file: 'plans-for-the-moon.bin',
  password: 'correct-horse-battery-staple',
}

/** The address of Ann's machine, as the tracker sees it. */
const annHost = '127.0.0.9'

/** Where a tracker keeps its key, below its data folder. */
export const keyFolder = 'tracker-1'

/** A tracker that listens. */
export interface ListeningTracker {
  readonly port: number
  readonly fingerprint: string
  /** Where its key is. */
  readonly keyFolder: string
}

export interface StartedTracker extends ListeningTracker {
  readonly program: Program
}

/** On the same data each time. */
export async function startTracker(world: World, words = ['--tls'], port = 0): Promise<StartedTracker> {
  const all = ['127.0.0.1', String(port), '--data-dir', world.path('tracker-data'), ...words]
  const program = world.run('tracker', 'tracker', all)
  const line = await program.until(/^tracker 1 listening on 127\.0\.0\.1:\d+$/)
  const folder = world.path('tracker-data', keyFolder)
  const fingerprint = fingerprintOf(loadIdentity(folder).publicKey)
  return { program, port: Number(line.split(':').at(-1)), fingerprint, keyFolder: folder }
}

/** A list with this one tracker, as its user writes it. */
export function listOf(world: World, port: number, pin = ''): string {
  const path = world.path(`list-${port}-${pin.length}.txt`)
  writeFileSync(path, `127.0.0.1:${port} ${pin}\n`)
  return path
}

/** A client that has this list. */
export function clientOf(world: World, name: string, list: string, words = ['--tls'], port = 0): Program {
  return world.run(name, 'client', [`127.0.0.1:${port}`, list, '--data-dir', world.path(name), ...words])
}

export interface Stage {
  /** Between the clients and the tracker, and between Ben and Ann. */
  readonly toTracker: Line
  readonly toAnn: Line
  readonly ann: Program
  readonly list: string
}

/** Ann shares a file in her group. Her own line to the tracker makes her seem to live elsewhere: at the line to her. */
export async function annShares(
  world: World,
  tracker: ListeningTracker,
  words: string[],
  open: (options: LineOptions) => Promise<Line> = (options) => Line.open(options),
): Promise<Stage> {
  const target = { host: '127.0.0.1', port: tracker.port }
  const toTracker = await open({ target, from: annHost })
  const toAnn = await open({ host: annHost })
  toAnn.options.target = { host: '127.0.0.1', port: toAnn.port }
  const list = listOf(world, toTracker.port, words.includes('--tls') ? tracker.fingerprint : '')
  const ann = clientOf(world, 'ann', list, words, toAnn.port)
  await ann.does(`create_user ${names.ann} ${names.password}`, `login ${names.ann} ${names.password}`)
  await ann.does(
    `create_group ${names.group}`,
    `upload_file ${world.makeFile(names.file, MiB)} ${names.group}`,
  )
  return { toTracker, toAnn, ann, list }
}

/** Ben joins. */
export async function benJoins(world: World, { ann, list }: Stage, words: string[]): Promise<Program> {
  const ben = clientOf(world, 'ben', list, words)
  await ben.does(`create_user ${names.ben} ${names.password}`, `login ${names.ben} ${names.password}`)
  await ben.does(`join_group ${names.group}`)
  const since = ben.mark()
  await ann.does(`accept_request ${names.group} ${names.ben}`)
  await ben.until(`you are now a member of ${names.group}`, since)
  return ben
}

/** Ben joins, and asks for the file. */
export async function benAsks(world: World, stage: Stage, words: string[]): Promise<Program> {
  const ben = await benJoins(world, stage, words)
  await ben.does(`download_file ${names.group} ${names.file} ${world.makeFolder('ben-files')}`)
  return ben
}

/** All that nobody on the line may learn. */
export function secrets(world: World, tracker: ListeningTracker): Record<string, Buffer | string> {
  const folders = { ann: world.path('ann'), ben: world.path('ben'), tracker: tracker.keyFolder }
  const keys = Object.entries(folders).map(([name, folder]) => {
    const { publicKey, forTls } = loadIdentity(folder)
    const secret = Buffer.from(forTls.key.replaceAll(/-----.*-----|\n/g, ''), 'base64').subarray(-32)
    return [
      [`public key of ${name}`, Buffer.from(publicKey, 'base64url')],
      [`secret key of ${name}`, secret],
      [`fingerprint of ${name}`, fingerprintOf(publicKey).slice('sha256:'.length)],
    ] as const
  })
  return {
    ...names,
    ...Object.fromEntries(keys.flat()),
    ...ofTickets(world),
    'beginning of a message': '{"jsonrpc"',
  }
}

/** Each of Ben's tickets for the group begins so, and each session of his. */
function ofTickets(world: World): Record<string, string> {
  const { publicKey } = loadIdentity(world.path('ben'))
  const ticket = JSON.stringify({ user: names.ben, group: names.group, key: publicKey }).slice(0, -1)
  const session = `{"user":"${names.ben}","account":`
  const beginning = (text: string): string => {
    const whole = Buffer.from(text)
    // Groups of three bytes are written each for itself.
    return whole.subarray(0, whole.length - (whole.length % 3)).toString('base64url')
  }
  return { 'ticket of ben': beginning(ticket), 'session of ben': beginning(session) }
}
