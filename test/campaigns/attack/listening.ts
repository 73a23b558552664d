// Somebody who listens on all lines while two honest users share and fetch a file, and searches for what he may not
// learn: names, keys, passwords, tickets, and every run of 16 bytes of the file.

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { credentialsOf, deriveKeys } from '../../../src/common/security/scram.ts'
import { annShares, benJoins, names, secrets } from '../../integration/listened-world.ts'
import { foundIn } from '../../integration/recording-proxy.ts'
import { isSame, MiB, World } from '../../integration/world.ts'
import type { Attack, Battle } from './battle.ts'
import { RunsOf } from './runs-of.ts'

const words = ['--tls']
const betweenMs = 200

/** What the password of Ben is derived to, and with what. */
async function derived(world: World): Promise<Record<string, Buffer>> {
  const folder = world.path('ben', 'logins')
  const [file = ''] = readdirSync(folder)
  const known = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
    users: Record<string, { salt: string; iterations: number }>
  }
  const { salt, iterations } = known.users[names.ben] ?? { salt: '', iterations: 0 }
  const keys = await deriveKeys(names.password, salt, iterations)
  const { storedKey, serverKey } = credentialsOf(keys)
  return {
    salt: Buffer.from(salt, 'base64'),
    'client key': keys.clientKey,
    'stored key': Buffer.from(storedKey, 'base64'),
    'server key': Buffer.from(serverKey, 'base64'),
  }
}

async function listen({ scene, findings, goesOn, begun }: Battle): Promise<void> {
  const world = new World()
  const stage = await annShares(world, scene.tracker, words)
  const ben = await benJoins(world, stage, words)
  const all = { ...secrets(world, scene.tracker), ...(await derived(world)) }
  const original = world.path(names.file)
  const runs = new RunsOf(readFileSync(original))
  const copy = world.path('copy')
  // He would find what is there.
  const control = { said: Buffer.from(`x${names.ben}`), heard: readFileSync(original).subarray(1000, 1016) }
  if (foundIn(control, all).length !== 1 || runs.countIn(control.heard) !== 1)
    throw new Error('the search finds nothing where something is')
  begun()
  while (goesOn()) {
    const since = ben.mark()
    await ben.does(`download_file ${names.group} ${names.file} ${copy}`)
    await ben.until(`[C] [${names.group}] ${names.file}`, since)
    if (!isSame(original, copy)) findings.onGot('another file in place of the right one')
    await ben.does(`stop_share ${names.group} ${names.file}`, `leave_group ${names.group}`)
    await ben.does(`join_group ${names.group}`)
    await stage.ann.does(`accept_request ${names.group} ${names.ben}`)
    await ben.until(`you are now a member of ${names.group}`, since)
    rmSync(copy)
    findings.onTried()
    await pause(betweenMs)
  }
  let bytes = 0
  for (const line of [stage.toTracker, stage.toAnn]) {
    const { taken } = line
    for (const name of foundIn(taken, all)) findings.onGot(`${name}, in the clear`)
    for (const way of [taken.said, taken.heard]) {
      bytes += way.length
      if (runs.countIn(way) > 0) findings.onGot('16 bytes of the file, in the clear')
    }
    line.close()
  }
  findings.note(
    'searched',
    `${(bytes / MiB).toFixed(1)} MiB for ${Object.keys(all).length} secrets and the file`,
  )
  await world.close()
}

export const listening: Attack = {
  name: 'all that goes over the lines is recorded and searched',
  attacker: 'a listener',
  unit: 'downloads',
  run: listen,
}
