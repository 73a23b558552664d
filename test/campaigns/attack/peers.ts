// Hostile members of the honest user's group: peers that withhold or lie, two beside Ann for each kind, and downloaders
// that take too much from Ann. The kinds are those of the benchmark of hostile peers.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { attackKinds } from '../../../bench/hostile/attack-plan.ts'
import { startAttack } from '../../../bench/hostile/bad-downloaders.ts'
import { callerKey, sharerBehaviours } from '../../../bench/hostile/bad-sharers.ts'
import { hashPiece } from '../../../src/client/hashing/piece-hash.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { buildManifest } from '../../../src/common/manifest.ts'
import { FakeSeeder, type Behaviour } from '../../client/swarm/fake-seeder.ts'
import { hostilePassword, type Attack, type Battle } from './battle.ts'
import { greeted, hostileHost, loggedIn, must, ticketFor } from './callers.ts'

const liars = ['marvin', 'moriarty']
const downloaderConnections = 100

async function lie({ scene, findings, over, begun }: Battle, behaviour: Behaviour): Promise<void> {
  const { group, name, fileId } = scene.film
  const content = readFileSync(scene.filmPath)
  const hashes: Buffer[] = []
  for (let at = 0; at < content.length; at += pieceBytes)
    hashes.push(hashPiece(content.subarray(at, at + pieceBytes)))
  const manifest = buildManifest(content.length, Buffer.concat(hashes))
  const seeders = await Promise.all(
    liars.map(async (user) => {
      const all = { ...behaviour, callerKey, isSecure: true }
      const seeder = await FakeSeeder.start(user, content, manifest, all)
      // They listen there.
      const client = await greeted(scene, seeder.identity, '127.0.0.1')
      must(await client.login(user, hostilePassword, seeder.peer.port))
      must(await client.request('announce', { files: [{ group, name, fileId, complete: true }] }))
      return seeder
    }),
  )
  begun()
  await over
  for (const seeder of seeders) {
    findings.onTried(seeder.connections)
    findings.note(`${seeder.user} was asked for`, `${seeder.asked.length} pieces`)
    seeder.stop()
  }
}

async function take({ scene, findings, over, begun }: Battle, kind: string): Promise<void> {
  const { film, folder, seederPort } = scene
  const mallory = await loggedIn(scene, 'mallory')
  const attack = await startAttack({
    kind,
    connections: downloaderConnections,
    port: seederPort,
    fileId: film.fileId,
    pieceCount: film.sizeBytes / pieceBytes,
    folder: join(folder, 'mallory'),
    ticket: await ticketFor(mallory, film),
    isSecure: true,
    localHost: hostileHost,
  })
  let said = ''
  attack.stdout?.on('data', (bytes: Buffer) => (said += bytes.toString()))
  begun()
  await over
  const ended = once(attack, 'close')
  attack.kill()
  await ended
  findings.onTried(Number(/(\d+) connections/.exec(said)?.[1] ?? 0))
}

export const peerAttacks: readonly Attack[] = [
  ...Object.entries(sharerBehaviours).map(([kind, behaviour]) => ({
    name: `two peers beside Ann: ${kind}`,
    attacker: 'a member' as const,
    unit: 'connections',
    run: (battle: Battle) => lie(battle, behaviour),
  })),
  ...attackKinds.map((kind) => ({
    name: `${downloaderConnections} downloaders from Ann: ${kind}`,
    attacker: 'a member' as const,
    unit: 'connections',
    run: (battle: Battle) => take(battle, kind),
  })),
]
