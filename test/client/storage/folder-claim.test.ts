import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { claimFolder } from '../../../src/client/storage/folder-claim.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** In the build, because these are processes of plain Node; the gate builds before it tests. */
const built = new URL('../../../dist/client/storage/folder-claim.js', import.meta.url).href

interface Claimant {
  readonly process: ChildProcess
  /** `claimed`, or the sentence of the failure. */
  readonly outcome: string
}

/** A process that claims the folder and, when it gets it, holds it until it is killed. */
async function claimant(folder: string): Promise<Claimant> {
  const script = `
    const { claimFolder } = await import(${JSON.stringify(built)})
    await claimFolder(${JSON.stringify(folder)}).then(
      () => console.log('claimed'),
      (error) => console.log(error.message),
    )
    process.stdin.resume()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [said] = await once(child.stdout, 'data')
  return { process: child, outcome: String(said).trim() }
}

async function kill({ process: child }: Claimant): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'close')
}

function refusal(folder: string): string {
  return `another client uses the folder ${folder}; give this one its own with --data-dir`
}

test('a folder that is claimed is refused, by whatever name, until it is given back', async () => {
  const folder = temporaryFolder()
  const alias = join(temporaryFolder(), 'alias')
  symlinkSync(folder, alias)
  const giveBack = await claimFolder(folder)
  for (const name of [folder, `${folder}/.`, alias])
    await expect(claimFolder(name)).rejects.toMatchObject({ code: 'start', message: refusal(name) })
  giveBack()
  const again = await claimFolder(alias)
  await expect(claimFolder(folder)).rejects.toMatchObject({ code: 'start' })
  again()
})

test('claims of different folders are nothing to each other', async () => {
  const claims = await Promise.all([temporaryFolder(), temporaryFolder()].map(claimFolder))
  expect(claims).toHaveLength(2)
  for (const giveBack of claims) giveBack()
})

test('a claim does not keep the program alive', async () => {
  const script = `await (await import(${JSON.stringify(built)})).claimFolder(${JSON.stringify(temporaryFolder())})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
  expect(await once(child, 'close')).toEqual([0, null])
})

// A name that a killed client had left in the file system was taken over by several at once: each found
// nobody behind it, and the later one removed what the earlier one had just made.
test('after a claimant was killed, exactly one of several that come at once gets the folder', async () => {
  const folder = temporaryFolder()
  for (let round = 0; round < 8; round++) {
    const claimants = await Promise.all([1, 2, 3].map(() => claimant(folder)))
    expect(claimants.map(({ outcome }) => outcome).toSorted()).toEqual([
      refusal(folder),
      refusal(folder),
      'claimed',
    ])
    await Promise.all(claimants.map(kill))
  }
})
