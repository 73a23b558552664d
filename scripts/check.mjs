// Runs the whole gate, `npm test`. Every step prints a line, and its output only when it fails. Each step counts as one
// check, and each vitest test as one; the last line says how many passed. Words after `npm test --` go to vitest, such
// as the tests to run: `npm test -- test/common/frames`.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { run as runProgram } from './child.mjs'
import { root } from './stamp.mjs'

// The same for everybody, whatever their shell sets; and a test that forgets to name a data folder must not use that of
// the person who runs it.
const scratch = mkdtempSync(join(tmpdir(), 'coterie-check-'))
const env = {
  ...process.env,
  NO_COLOR: undefined,
  FORCE_COLOR: undefined,
  XDG_DATA_HOME: join(scratch, 'data'),
}

const counts = { passed: 0, failed: 0, skipped: 0 }
/**
 * So many files of tests get a second try, alone: a machine that is busy with something else may be late for a test that
 * waits for another program. Where more have failed, the code is wrong.
 */
const secondTriesMax = 3
/** Titles of tests that passed at the second try alone: each has a race that is to be mended. */
const shaky = []
/** What a test measured and everybody wants to see: a line of its output that begins so is shown whatever comes of it. */
const figure = /^the npm package: .+$/gm
const figures = new Set()
/** Why tests were skipped, from the titles of their groups: "… (skipped: why)". */
const reasons = new Set()

const typescript = 'node_modules/typescript/bin/tsc'
/** What a step keeps of files whose contents it has checked, so that next time it looks at those that have changed. */
const kept = (name) => join(root, '.cache', name)
const typesOf = (folder, name) => {
  const incremental = ['--incremental', '--tsBuildInfoFile', kept(name)]
  return [typescript, '-p', join(folder, 'tsconfig.json'), ...incremental]
}
const format = ['--check', '--log-level=warn', '--cache', '--cache-strategy=content']
const unused = ['--no-progress', '--no-config-hints', '--cache']
// The build comes first because tests start the built programs. The other steps are independent, and tests often wait:
// so these steps run beside the tests, one after the other.
const steps = [
  { name: 'types of tests and benchmarks', args: typesOf('test', 'test.tsbuildinfo') },
  { name: 'types of the page', args: typesOf('src/web/page', 'page.tsbuildinfo') },
  { name: 'lint', args: ['node_modules/oxlint/bin/oxlint', '--deny-warnings'] },
  {
    name: 'format',
    args: ['node_modules/prettier/bin/prettier.cjs', ...format, `--cache-location=${kept('prettier')}`, '.'],
  },
  {
    name: 'unused code',
    args: ['node_modules/knip/bin/knip.js', ...unused, `--cache-location=${kept('knip')}`],
  },
]

await step({ name: 'build', args: ['scripts/launch.mjs', 'build'] })
const words = process.argv.slice(3)
// All tests but those of packages: see vitest.config.ts.
await Promise.all([
  inTurn(),
  tests('tests', words.length === 0 ? ['--project=together', '--project=apart'] : words),
])
if (process.env.COTERIE_PACKAGES === '1') await tests('packages', ['--project=packages'])
await otherNodes((process.env.COTERIE_NODES ?? '').split(' ').filter(Boolean))
rmSync(scratch, { recursive: true, force: true })
report()

async function inTurn() {
  for (const next of steps) await step(next)
}

async function step({ name, args }) {
  const { ok, output, seconds } = await run(args)
  counts[ok ? 'passed' : 'failed']++
  say(name, ok, seconds, output)
}

/** Alone, so that tests that wait are not late for it. What it says is always shown: a Node may have been skipped. */
async function otherNodes(versions) {
  if (versions.length === 0) return
  const { ok, output, seconds } = await run(['scripts/check-nodes.mjs', ...versions])
  counts[ok ? 'passed' : 'failed']++
  say(`other Nodes (${versions.join(', ')})`, ok, seconds, ok ? '' : output)
  if (ok) console.log(output.trimEnd())
}

async function tests(name, words) {
  const { ok, output, seconds, counted } = await vitest(words)
  for (const key of Object.keys(counts)) counts[key] += counted[key]
  say(`${name} (${counted.passed + counted.failed})`, ok, seconds, output)
  const { files } = counted
  if (ok || files.length === 0 || files.length > secondTriesMax) return
  const again = await vitest(['--maxWorkers=1', ...files])
  say(`once more: ${files.join(' ')}`, again.ok, again.seconds, again.output)
  if (!again.ok) return
  shaky.push(...counted.titles)
  counts.passed += counted.failed
  counts.failed -= counted.failed
}

/** Runs the tests that match these words, and counts them. */
async function vitest(words) {
  const results = join(scratch, 'results.json')
  rmSync(results, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
  const ran = await run(['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...words])
  for (const [line] of ran.output.matchAll(figure)) figures.add(line)
  const counted = count(results)
  // Failed without a failed test: a file that cannot be loaded, an error between tests, a crash.
  if (!ran.ok && counted.failed === 0) Object.assign(counted, { failed: 1, files: [] })
  return { ...ran, counted }
}

function count(results) {
  try {
    const found = JSON.parse(readFileSync(results, 'utf8'))
    const tests = found.testResults.flatMap((file) => file.assertionResults)
    for (const { status, fullName } of tests) {
      const reason = /\((skipped: [^()]+)\)/.exec(fullName)?.[1]
      if (status !== 'passed' && status !== 'failed' && reason !== undefined) reasons.add(reason)
    }
    return {
      passed: found.numPassedTests,
      failed: found.numFailedTests,
      skipped: found.numPendingTests + found.numTodoTests,
      files: found.testResults
        .filter((file) => file.status === 'failed')
        .map((file) => relative(root, file.name)),
      titles: tests.filter((test) => test.status === 'failed').map((test) => test.fullName),
    }
  } catch {
    return { passed: 0, failed: 0, skipped: 0, files: [], titles: [] }
  }
}

/** Runs a Node script to its end; resolves to its outcome, with both outputs as one text. */
function run(args) {
  return runProgram(process.execPath, args, { cwd: root, env })
}

function say(name, ok, seconds, output) {
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(32)} ${seconds.toFixed(1)} s`)
  if (!ok) console.log(`\n${output.trimEnd()}\n`)
}

function report() {
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
  if (figures.size > 0) console.log(`\n${[...figures].join('\n')}`)
  if (reasons.size > 0) console.log(`\n${[...reasons].join('\n')}`)
  for (const title of shaky) console.log(`\npassed at the second try alone, so it has a race: ${title}`)
  console.log(`\n${counts.passed} passed, ${counts.failed} failed${skipped}`)
  if (counts.failed > 0) process.exitCode = 1
}
