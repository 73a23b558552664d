// scratch
import { spawn } from 'node:child_process'
import { writeFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { loadIdentity } from '../../src/common/security/identity.ts'
import { group, inArena, makeFile, peakMiB, percentile } from '../arena.ts'
import { logIn, must } from '../crowd.ts'

const kinds = (process.argv[2] ?? 'silent').split(',')
const counts = (process.argv[3] ?? '25,150,400').split(',').map(Number)
const sizes = (process.argv[4] ?? '8,256').split(',').map(Number)
const options = process.argv[5] === undefined ? [] : process.argv[5].split(' ')
const limitS = Number(process.env['LIMIT_S'] ?? 60)
await inArena(async (arena) => {
  const sharer = await arena.startMember('sharer', options)
  const client = await arena.startMember('client')
  await (await arena.startMember('hostile')).quit()
  for (const size of sizes) {
    await sharer.say(`upload_file ${await makeFile(arena, `f${size}`, size)} ${group}`)
  }
  const folder = join(arena.folder, 'hostile-id')
  const identity = loadIdentity(folder)
  const connection = await logIn(arena, 'hostile', identity, 1)
  let n = 0
  const measure = async (size: number): Promise<number> => {
    const startedAtMs = performance.now()
    await client.say(`download_file ${group} f${size} ${join(arena.folder, `copy-${n++}`)}`)
    const late = setTimeout(() => client.process.stdin?.write(`cancel_download ${group} f${size}\n`), limitS * 1000)
    let isLate = false
    await client.next((line) => { isLate = line.startsWith('cancelled'); if (!line.startsWith('[C]') && !isLate) console.log('client:', line); return isLate || line === `[C] [${group}] f${size}` })
    clearTimeout(late)
    if (isLate) return Infinity
    const ms = performance.now() - startedAtMs
    await client.say(`stop_share ${group} f${size}`)
    return ms
  }
  const alone = new Map<number, number>()
  for (const size of sizes) {
    const t: number[] = []
    for (let i = 0; i < 3; i++) t.push(await measure(size))
    alone.set(size, percentile(t.toSorted((a, b) => a - b), 0.5))
    console.log(`${size} MiB alone ${t.map((x) => x.toFixed(0)).join(' ')} ms, sharer peak ${peakMiB(sharer).toFixed(0)}`)
  }
  for (const kind of kinds) for (const count of counts) for (const size of sizes) {
    const found = must(await connection.request('find_file', { group, name: `f${size}` }))
    const peer = found.peers.find(({ user }) => user === 'sharer')!
    writeFileSync(`/proc/${sharer.process.pid}/clear_refs`, '5')
    const plan = { kind, connections: count, port: peer.port, fileId: found.fileId, pieceCount: size * 2, folder, ticket: found.ticket }
    const cpu = () => { const f = readFileSync(`/proc/${sharer.process.pid}/stat`, 'utf8').split(' '); return (Number(f[13]) + Number(f[14])) / 100 }
    const attack = spawn('nice', ['-n', process.env['NICE'] ?? '0', process.execPath, '--import', 'tsx', 'bench/hostile/attack.ts', JSON.stringify(plan)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines: string[] = []
    await new Promise<void>((resolve) => {
      createInterface({ input: attack.stdout! }).on('line', (l) => { lines.push(l); resolve() })
    })
    await new Promise((r) => setTimeout(r, 1000))
    const c0 = cpu(), t0 = performance.now()
    const ms = await measure(size)
    const used = (cpu() - c0) / ((performance.now() - t0) / 1000)
    const peak = peakMiB(sharer)
    if (process.env['SMAPS']) sharer.process.kill('SIGURG')
    if (process.env['SMAPS']) writeFileSync(`/tmp/h3-smaps-${kind.replaceAll(' ', '')}`, readFileSync(`/proc/${sharer.process.pid}/smaps`, 'utf8'))
    const ended = attack.exitCode === null ? new Promise((r) => attack.once('exit', r)) : undefined
    attack.kill('SIGTERM')
    await ended
    await new Promise((r) => setTimeout(r, 500))
    console.log(`${kind} ${count} ${size} MiB: ${(ms / alone.get(size)!).toFixed(2)} x (${ms.toFixed(0)} ms), peak ${peak.toFixed(0)} MiB, cpu ${used.toFixed(2)}, ${lines.at(-1)}`)
  }
})
process.exit()
