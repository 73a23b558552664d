import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { compilerFlag } from '../../src/client/compiler-flag.ts'
import { memoryFlag } from '../../src/client/memory-flag.ts'

test.each([
  ['11.3.244.8-node.33', '--interrupt-budget=400000'],
  ['12.4.254.21-node.33', '--invocation-count-for-turbofan=18000'],
])('V8 %s gets the flag that was measured with it', (version, flag) => {
  expect(compilerFlag(version)).toBe(flag)
})

// 13.6 is Node 24.
test.each(['11.30.1', '1.3', '12.5.1', '13.6.233.17-node.26', '99.1.0', ''])(
  'V8 %j, which no flag was seen to help, runs as it is',
  (version) => {
    expect(compilerFlag(version)).toBeUndefined()
    expect(memoryFlag(version)).toBeUndefined()
  },
)

test('the space for short-lived objects does not grow on Node 20', () => {
  expect(memoryFlag('11.3.244.8-node.33')).toBe('--semi-space-growth-factor=1')
})

// V8 complains on standard error of a flag that it does not know: at each start of a client, on Node 22 and 24.
test.each([compilerFlag, memoryFlag])('this Node knows its flag, and prints nothing', (choose) => {
  const flag = choose(process.versions.v8)
  const script = `require('node:v8').setFlagsFromString(${JSON.stringify(flag ?? '--no-opt')})`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
})
