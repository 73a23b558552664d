// When a terminal is read, in a real one with a shell that controls its jobs.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ctrlD, ctrlZ, Shell } from './support/shell.ts'
import { temporaryFolder } from './support/test-tracker.ts'

const program = fileURLToPath(new URL('./foreground-program.ts', import.meta.url))
const ofLinux = '/proc/self/stat'
/** How often the order of a program that goes on and of what is typed is tried: with `ps` it takes seconds. */
const ways = [
  { by: 'the system', statFile: ofLinux, canKnow: existsSync(ofLinux), rounds: 5 },
  { by: 'ps', statFile: 'no such file', canKnow: true, rounds: 1 },
]
/** A shell reads a line at a time, so most of this is still there when the first line has been done. */
const typedAhead = 'echo ahead\n'.repeat(50)

function command(statFile: string): string {
  return [process.execPath, '--import', 'tsx', program, statFile].map((word) => `'${word}'`).join(' ')
}

describe.each(ways)('as $by knows it', ({ statFile, canKnow, rounds }) => {
  test.skipIf(!canKnow)('a program in the background leaves what is typed to the shell', async () => {
    const shell = await Shell.start()
    shell.type(`${command(statFile)} &\n`)
    await shell.see(/it runs/)
    // It may still be asking whose turn it is.
    for (let count = 0; count < 40; count++) await shell.answer()
    expect(await shell.job()).toBe('Running')
    shell.type('fg\n')
    shell.type('status\n')
    await shell.see(/the status/)
  })

  test.skipIf(!canKnow)('one that was stopped goes on in the background, and in the foreground', async () => {
    const shell = await Shell.start()
    shell.type(`${command(statFile)}\n`)
    await shell.see(/it runs/)
    shell.type('status\n')
    await shell.see(/the status/)
    for (let round = 0; round < rounds; round++) {
      shell.type(ctrlZ)
      await shell.see(/Stopped[^$]*\$ /)
      // In one go: what follows is there to be read in the moment in which it goes on.
      shell.type(`bg\n${typedAhead}`)
      await shell.answer()
      expect(await shell.job()).toBe('Running')
      shell.type('fg\n')
      shell.type('digest\n')
      await shell.see(/the digest/)
      shell.type(ctrlZ)
      await shell.see(/Stopped[^$]*\$ /)
      shell.type('fg\n')
      shell.type('status\n')
      await shell.see(/the status/)
    }
    shell.type('quit\n')
    await shell.prompt()
    await shell.answer()
  })
})

test('where nobody knows it, nothing is read and the program runs', async () => {
  const shell = await Shell.start()
  shell.type(`PATH='${temporaryFolder()}' ${command('no such file')} &\n`)
  await shell.see(/it runs/)
  await shell.answer()
  expect(await shell.job()).toBe('Running')
})

test('after the end of the input it can still be stopped and go on', async () => {
  const shell = await Shell.start()
  shell.type(`${command(ofLinux)}\n`)
  await shell.see(/it runs/)
  shell.type('status\n')
  await shell.see(/the status/)
  shell.type(ctrlD)
  shell.type(ctrlZ)
  await shell.see(/Stopped[^$]*\$ /)
  shell.type('bg\n')
  await shell.answer()
  expect(await shell.job()).toBe('Running')
})

test('without a shell that could let it go on, Ctrl-Z stops nothing', async () => {
  const shell = await Shell.start()
  shell.type(`exec ${command(ofLinux)}\n`)
  await shell.see(/it runs/)
  shell.type('status\n')
  await shell.see(/the status/)
  shell.type(ctrlZ)
  shell.type('digest\n')
  expect(await shell.see(/the digest/)).toBe('the digest')
})
