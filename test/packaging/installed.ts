// Coterie as it is installed in a Debian: its trackers by the line of their unit, and its clients by their command.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfinedRoot } from './confined-root.ts'
import type { Ran, Running } from './running.ts'

/** Somebody without rights, whom the system does not know. */
const person = '12345:12345'
const list = '/etc/coterie/tracker_info.txt'

/** Starts tracker 1 as its unit does, by the line, the user and the options in it; resolves when it listens. */
export async function startTracker(place: ConfinedRoot): Promise<Running> {
  const tracker = place.start(wordsOfUnit(place.root), { user: userOfUnit(place.root) })
  await tracker.hears(/tracker 1 listening on/)
  return tracker
}

/** Runs commands in the client that listens at this port of loopback, or in one started for them, which ends with them. */
export function client(place: ConfinedRoot, port: number, commands: readonly string[]): Ran {
  return place.run(wordsOfClient(port, commands), ofPerson(port))
}

/** Starts a client that goes on after its commands; resolves when it has replied to the last one. */
export async function startClient(
  place: ConfinedRoot,
  port: number,
  commands: readonly string[],
  lastReply: RegExp,
): Promise<Running> {
  const running = place.start([...wordsOfClient(port, commands), '--linger'], ofPerson(port))
  await running.hears(lastReply)
  return running
}

function wordsOfClient(port: number, commands: readonly string[]): string[] {
  return ['coterie', `127.0.0.1:${port}`, list, ...commands.flatMap((command) => ['-e', command])]
}

/** For each client its own person, as far as folders go. */
function ofPerson(port: number): { user: string; env: Record<string, string> } {
  return { user: person, env: { HOME: `/tmp/home-${port}`, COTERIE_PASSWORD: 'correct-horse-battery' } }
}

function settingOf(unit: string, name: string): string {
  const [, value] = new RegExp(`^${name}=(.*)$`, 'm').exec(unit) ?? []
  if (value === undefined) throw new Error(`the unit says nothing of ${name}`)
  return value
}

function unitOf(root: string): string {
  return readFileSync(join(root, 'usr/lib/systemd/system/coterie-tracker@.service'), 'utf8')
}

function userOfUnit(root: string): string {
  const user = settingOf(unitOf(root), 'User')
  return `${user}:${user}`
}

/** As systemd would put it together for number 1. */
function wordsOfUnit(root: string): string[] {
  const unit = unitOf(root)
  const options = readFileSync(join(root, 'etc/coterie/tracker-1.env'), 'utf8')
  const [, given = ''] = /^TRACKER_OPTIONS="(.*)"$/m.exec(options) ?? []
  const known = new Map([
    ['%i', ['1']],
    ['${STATE_DIRECTORY}', [`/var/lib/${settingOf(unit, 'StateDirectory')}`]],
    ['$TRACKER_OPTIONS', given.split(' ').filter((word) => word !== '')],
  ])
  return settingOf(unit, 'ExecStart')
    .split(' ')
    .flatMap((word) => known.get(word) ?? [word])
}
