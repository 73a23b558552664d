import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { claimFolder } from '../../../src/client/storage/folder-claim.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** In the build, because these are processes of plain Node; the gate builds before it tests. */
const built = new URL('../../../dist/client/storage/folder-claim.js', import.meta.url).href

interface Claimant {
  readonly process: ChildProcess
  /** `claimed`, `held by another`, or the sentence of the failure. */
  readonly outcome: string
}

/** A process that claims the folder and, when it gets it, holds it until it is killed. */
async function claimant(folder: string): Promise<Claimant> {
  const script = `
    const { claimFolder } = await import(${JSON.stringify(built)})
    await claimFolder(${JSON.stringify(folder)}).then(
      (giveBack) => console.log(giveBack === undefined ? 'held by another' : 'claimed'),
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

/** For a folder that nobody holds. */
async function claim(folder: string): Promise<() => void> {
  const giveBack = await claimFolder(folder)
  if (giveBack === undefined) throw new Error('another client has the folder')
  return giveBack
}

test('a folder that is claimed is refused, by whatever name, until it is given back', async () => {
  const folder = temporaryFolder()
  const alias = join(temporaryFolder(), 'alias')
  symlinkSync(folder, alias)
  const giveBack = await claim(folder)
  for (const name of [folder, `${folder}/.`, alias]) expect(await claimFolder(name)).toBeUndefined()
  giveBack()
  const again = await claim(alias)
  expect(await claimFolder(folder)).toBeUndefined()
  again()
})

test('claims of different folders are nothing to each other', async () => {
  const claims = await Promise.all([temporaryFolder(), temporaryFolder()].map(claim))
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
      'claimed',
      'held by another',
      'held by another',
    ])
    await Promise.all(claimants.map(kill))
  }
})

test.each([0o777, 0o770, 0o702])(
  'a folder that others can write to is refused, with what to do: mode %i',
  async (mode) => {
    const folder = temporaryFolder()
    chmodSync(folder, mode)
    await expect(claimFolder(folder)).rejects.toMatchObject({
      code: 'start',
      message: `other users can write to the folder ${folder}; check what is in it, then run: chmod 700 ${folder}`,
    })
    expect(readdirSync(folder)).toEqual([])
    chmodSync(folder, 0o700)
    const giveBack = await claim(folder)
    giveBack()
  },
)

describe.skipIf(process.getuid?.() !== 0)(
  'of another user (skipped: only root can make such a folder)',
  () => {
    test('a folder is refused, with what to do', async () => {
      const folder = temporaryFolder()
      chownSync(folder, 12345, 12345)
      await expect(claimFolder(folder)).rejects.toMatchObject({
        code: 'start',
        message: `the folder ${folder} belongs to another user; give this client its own with --data-dir`,
      })
    })
  },
)

test('a folder with a path longer than that of a socket is claimed as any other', async () => {
  const folder = join(temporaryFolder(), 'long'.repeat(30), 'long'.repeat(30))
  mkdirSync(folder, { recursive: true })
  const first = await claimant(folder)
  expect(first.outcome).toBe('claimed')
  expect(await claimFolder(folder)).toBeUndefined()
  await kill(first)
  const giveBack = await claim(folder)
  giveBack()
})

// Any user of the machine could listen on the name that stood for the folder, and keep its owner out.
test.runIf(process.platform === 'linux')('nobody outside the folder can hold its claim', async () => {
  const folder = temporaryFolder()
  const name = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 24)
  const hostile = createServer().listen(`\0coterie-${name}`)
  onTestFinished(() => void hostile.close())
  await once(hostile, 'listening')
  const giveBack = await claim(folder)
  expect(readdirSync(folder)).toEqual(['claim.1'])
  giveBack()
})

test('claims leave one name in the folder, however many there were', async () => {
  const folder = temporaryFolder()
  for (let round = 0; round < 5; round++) (await claim(folder))()
  expect(readdirSync(folder)).toEqual(['claim.5'])
})
