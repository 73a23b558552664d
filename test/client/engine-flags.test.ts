import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { engineFlags, EngineFlags } from '../../src/client/engine-flags.ts'

const flagsFor = (are: 'atWork' | 'byDefault'): string[] =>
  engineFlags(process.versions.v8).map((flag) => flag[are])

/** What another Node prints of the value after setting these flags. */
function evaluated(value: string, flags: readonly string[] = []): string {
  const script = `
    const { Script } = require('node:vm')
    for (const flag of ${JSON.stringify(flags)}) require('node:v8').setFlagsFromString(flag)
    process.stdout.write(String(${value}))`
  const { stderr, stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout
}

test.each([
  ['11.3.244.8-node.33', ['--interrupt-budget=400000', '--semi-space-growth-factor=1']],
  ['12.4.254.21-node.33', ['--invocation-count-for-turbofan=18000']],
])('V8 %s gets the flags that were measured with it', (version, flags) => {
  expect(engineFlags(version).map(({ atWork }) => atWork)).toEqual(flags)
})

// 13.6 is Node 24.
test.each(['11.30.1', '1.3', '12.5.1', '13.6.233.17-node.26', '99.1.0', ''])(
  'V8 %j, which no flag was seen to help, runs as it is',
  (version) => {
    expect(engineFlags(version)).toEqual([])
  },
)

// V8 complains on standard error of a flag that it does not know: at each start of a client, on Node 22 and 24.
test.each(['atWork', 'byDefault'] as const)('this Node knows its flags %s, and prints nothing', (are) => {
  expect(evaluated('1', flagsFor(are))).toBe('1')
})

// What Node brings compiled is read with V8's own flags only; else a start takes 35 ms more and each thread 50.
test.skipIf(engineFlags(process.versions.v8).length === 0)(
  'what V8 compiled with its own flags is void at work, and counts again with the flags set back',
  () => {
    const kept = evaluated(`new Script('1').createCachedData().toString('base64')`)
    const isRejected = `new Script('1', { cachedData: Buffer.from('${kept}', 'base64') }).cachedDataRejected`
    expect(evaluated(isRejected)).toBe('false')
    expect(evaluated(isRejected, flagsFor('atWork'))).toBe('true')
    expect(evaluated(isRejected, [...flagsFor('atWork'), ...flagsFor('byDefault')])).toBe('false')
  },
)

test('the flags hold at work, but not while a thread starts', () => {
  const told: string[] = []
  const flags = new EngineFlags((are) => void told.push(are))
  const before = flags.onStarting()
  before()
  expect(told).toEqual([])
  flags.onWork()
  expect(told).toEqual(['atWork'])
  const first = flags.onStarting()
  const second = flags.onStarting()
  expect(told.at(-1)).toBe('byDefault')
  first()
  first()
  expect(told.at(-1)).toBe('byDefault')
  second()
  expect(told.at(-1)).toBe('atWork')
})

test('a thread that starts before the work is waited for', () => {
  const told: string[] = []
  const flags = new EngineFlags((are) => void told.push(are))
  const started = flags.onStarting()
  flags.onWork()
  expect(told.at(-1)).toBe('byDefault')
  started()
  expect(told.at(-1)).toBe('atWork')
})
