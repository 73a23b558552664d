// node scripts/check-nodes.mjs [version…]
//
// Checks Coterie with other versions of Node, by default with each line that people have: takes them from the npm registry,
// and has each build a copy of this folder, run the demonstration, and pass the short tests. A Node that cannot be fetched
// because the registry does not answer is skipped, with a word. Needs Linux or macOS.

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { run } from './child.mjs'
import { prepare } from './prepare.mjs'
import { root } from './stamp.mjs'

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20.20.2', '22', '24', '26']

/**
 * Where a Node can make a difference: sockets, TLS, files, the log and its engine, native modules, terminals; and the main
 * job by real programs, plain and encrypted. About a minute on two cores.
 */
const shortTests = [
  'test/common',
  'test/tracker',
  ...['control', 'folder', 'hashing', 'prompt', 'storage'].map((part) => `test/client/${part}`),
  ...['encrypted', 'one-shot', 'walk-through'].map((name) => `test/integration/${name}.test.ts`),
]

/** All but those that measure how fast this machine is. */
const named = '--testNamePattern=^((?!get the rate).)*$'

/** What npm says when the registry, or the way to it, is the problem. */
const unreachable =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|E5\d\d)\b/

/** Its install script would do the same for the package `node`: it fetches the one with the program for this machine. */
const packageName = `node-${process.platform}-${process.arch}`
/** The copy is built anew; the rest is large, or is linked. */
const builds = ['dist', 'dist.next', 'dist.old', 'lib', 'lib.next']
const notCopied = new Set(
  ['.git', 'node_modules', 'coverage', '.cache', ...builds].map((name) => join(root, name)),
)

await prepare({ withDevelopment: true, withBuild: false })
const scratch = mkdtempSync(join(tmpdir(), 'coterie-nodes-'))
try {
  for (const version of versions) if (!(await check(version))) process.exitCode = 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

async function check(version) {
  const place = join(scratch, version)
  const node = await fetchNode(version, place)
  if (typeof node !== 'string') return node
  const copy = join(place, 'copy')
  cpSync(root, copy, { recursive: true, filter: (path) => !notCopied.has(path) })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const surroundings = {
    cwd: copy,
    env: {
      ...process.env,
      PATH: `${join(node, '..')}${delimiter}${process.env.PATH ?? ''}`,
      XDG_DATA_HOME: join(place, 'data'),
      NO_COLOR: '1',
      FORCE_COLOR: undefined,
    },
  }
  const { output } = await run(node, ['--version'], surroundings)
  const steps = [
    { name: 'build', args: ['scripts/launch.mjs', 'build'] },
    { name: 'demonstration', args: ['scripts/launch.mjs', 'demo'] },
    // A machine that is busy may be late for a test that waits for another program.
    {
      name: 'short tests',
      args: ['node_modules/vitest/vitest.mjs', 'run', '--retry=1', named, ...shortTests],
    },
  ]
  for (const { name, args } of steps) {
    const outcome = await run(node, args, surroundings)
    say(`Node ${output.trim()}: ${name}`, outcome)
    if (!outcome.ok) return false
  }
  rmSync(place, { recursive: true, force: true })
  return true
}

/** Resolves to the path of the program; to true when it is skipped, to false when there is no such version. */
async function fetchNode(version, place) {
  mkdirSync(place, { recursive: true })
  const words = ['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund']
  const patience = ['--fetch-retries=1', '--fetch-timeout=60000']
  const wanted = `${packageName}@${version}`
  const outcome = await run('npm', [...words, ...patience, '--prefix', place, wanted], {
    cwd: place,
    env: process.env,
  })
  if (outcome.ok) return join(place, 'node_modules', packageName, 'bin', 'node')
  const code = unreachable.exec(outcome.output)?.[0]
  if (code === undefined) say(`Node ${version}: ${wanted} from npm`, outcome)
  else console.log(`skipped Node ${version}: the npm registry cannot be reached (${code})`)
  return code !== undefined
}

function say(what, { ok, seconds, output }) {
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${what.padEnd(40)} ${seconds.toFixed(1)} s`)
  if (!ok) console.log(`\n${output.trimEnd()}\n`)
}
