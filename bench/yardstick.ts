// npm run bench:swarm -- <folder of dataplane.py> <workload> [its options]
// Compares Coterie with other programs in the data-plane yardstick and prints the ratios. The default is w1,
// 1 GiB from one seeder, against libtorrent, three times. Needs root and Linux.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const words = process.argv.slice(2)
/** Ours; whatever it is compared with stays plain. */
const isEncrypted = words.includes('--tls')
const [yardstick, workload = 'w1', ...options] = words.filter((word) => word !== '--tls')
if (yardstick === undefined) {
  console.error('usage: npm run bench:swarm -- <folder of dataplane.py> [w1|w2|w3|w5|w6 [--tls] [options]]')
  process.exit(2)
}

const peer = ['node', fileURLToPath(new URL('swarm-peer.mjs', import.meta.url))]
const where = [
  '{torrent}',
  '{home}',
  '{save}',
  '{ip}',
  '{port}',
  '{up}',
  '{tracker_ip}',
  '{tracker_port}',
  '{name}',
]
const own = 'coterie'

/** The commands that the yardstick runs. `accounts`: the data folder of a tracker with all users. */
function specification(accounts: string): object {
  return {
    name: own,
    make: [...peer, 'make', '{src}', '{torrent}'],
    tracker: [...peer, 'tracker', accounts, '{home}', '{tracker_ip}', '{tracker_port}'],
    seed: [...peer, 'seed', ...where, '{ready}'],
    leech: [...peer, 'leech', ...where, '{done}'],
  }
}

interface Row {
  readonly client: string
  readonly tag?: string
  readonly wall?: number
  readonly verified?: string
  readonly others_cores?: number
  readonly rss_seed?: number
  readonly rss_leech?: number
  readonly first_data_s?: number
  readonly cpu_seed?: number
  readonly cpu_leech?: number
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function report(rows: readonly Row[]): void {
  const names = [...new Set(rows.map((row) => row.client))]
  const wallOf = (name: string): number =>
    median(rows.filter((row) => row.client === name).map((row) => row.wall ?? Infinity))
  for (const name of names) {
    const mine = rows.filter((row) => row.client === name)
    const medianOf = (
      key: 'others_cores' | 'rss_seed' | 'rss_leech' | 'first_data_s' | 'cpu_seed' | 'cpu_leech',
    ): string => median(mine.map((row) => row[key] ?? Number.NaN)).toFixed(2)
    console.log(
      `${name.padEnd(14)} ${wallOf(name).toFixed(2)} s  CPU ${medianOf('cpu_seed')} + ${medianOf('cpu_leech')} s  first data ${medianOf('first_data_s')} s  ` +
        `RSS ${medianOf('rss_seed')} / ${medianOf('rss_leech')} MiB  others ${medianOf('others_cores')} cores  verified ${mine.map((row) => row.verified).join(' ')}`,
    )
  }
  for (const name of names) {
    if (name !== own) console.log(`${own} / ${name} = ${(wallOf(own) / wallOf(name)).toFixed(2)}`)
  }
}

const folder = mkdtempSync(join(tmpdir(), 'coterie-yardstick-'))
try {
  const specFile = join(folder, 'coterie.json')
  const rowsFile = join(folder, 'rows.jsonl')
  const accounts = join(folder, 'accounts')
  writeFileSync(specFile, JSON.stringify(specification(accounts)))
  const chosen = options.some((word) => word === '--clients') ? [] : ['--clients', `libtorrent,${own}`]
  const order = [
    join(yardstick, 'dataplane.py'),
    '--out',
    rowsFile,
    workload,
    '--own',
    specFile,
    ...chosen,
    ...options,
  ]
  // Extra certificates, which no program here uses, would make every Node take three times as long to start.
  const env = {
    ...process.env,
    NODE_EXTRA_CA_CERTS: undefined,
    COTERIE_TLS: isEncrypted ? accounts : undefined,
  }
  const [node = '', ...script] = peer
  if (spawnSync(node, [...script, 'accounts', accounts], { stdio: 'inherit', env }).status !== 0)
    throw new Error('cannot make the accounts')
  const run = spawnSync('python3', order, { stdio: 'inherit', env })
  if (run.status !== 0) process.exit(run.status ?? 1)
  const rows = readFileSync(rowsFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
  report(rows)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
