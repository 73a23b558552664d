// A folder takes the place of another one, and a kill in the middle is made good.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { idOf, type PartId } from '../../../src/client/downloading/part-file.ts'
import { settleSwap, swapFolders } from '../../../src/client/downloading/swap.ts'

/** An old folder and the new one, which is filled; whoever knows what is in a folder tells it by the file in it. */
class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'coterie-swap-'))
  readonly destination = join(this.folder, 'data')
  readonly target = `${this.destination}.unpacking.part`
  readonly aside = `${this.destination}.replaced.part`
  readonly replaces: { id: PartId; tree: string }
  readonly unpacked: PartId
  readonly treeAt = async (path: string): Promise<string> => contentOf(path)

  constructor() {
    this.replaces = { id: make(this.destination, 'old'), tree: 'old' }
    this.unpacked = make(this.target, 'new')
    onTestFinished(() => rmSync(this.folder, { recursive: true }))
  }

  async settle(keeps: 'old' | 'new' = 'new'): Promise<void> {
    await settleSwap(this, this.treeAt, keeps)
  }

  /** What is where. */
  get found(): Record<string, string> {
    return Object.fromEntries(
      readdirSync(this.folder).map((name) => [name, contentOf(join(this.folder, name))]),
    )
  }
}

function make(path: string, content: string): PartId {
  mkdirSync(path)
  writeFileSync(join(path, 'file'), content)
  return idOf(lstatSync(path))
}

function contentOf(path: string): string {
  const file = join(path, 'file')
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

describe('swapping', () => {
  test('leaves the new folder under the name, and nothing else', async () => {
    const place = new Place()
    await swapFolders(place)
    expect(place.found).toEqual({ data: 'new' })
  })

  test('leaves the old one where somebody has changed it at the last moment', async () => {
    const place = new Place()
    writeFileSync(join(place.destination, 'file'), 'mine')
    await expect(swapFolders(place)).rejects.toThrow('was changed, and is not replaced')
    expect(place.found).toEqual({ data: 'mine', 'data.unpacking.part': 'new' })
  })

  test('names what is in the way of the old one, and leaves it', async () => {
    const place = new Place()
    make(place.aside, 'of somebody else')
    await expect(swapFolders(place)).rejects.toThrow(`${place.aside} is in the way; move it away`)
    expect(place.found).toMatchObject({ data: 'old', 'data.replaced.part': 'of somebody else' })
  })

  test('gives the old one its name again when the new one cannot have it', async () => {
    const place = new Place()
    const treeAt = async (path: string): Promise<string> => {
      rmSync(place.target, { recursive: true })
      return contentOf(path)
    }
    await expect(swapFolders(Object.assign(place, { treeAt }))).rejects.toThrow('ENOENT')
    expect(place.found).toEqual({ data: 'old' })
  })
})

describe('after a kill in the middle', () => {
  test('the new folder gets the name, and the old one goes', async () => {
    const place = new Place()
    renameSync(place.destination, place.aside)
    await place.settle()
    expect(place.found).toEqual({ data: 'new' })
  })

  // The check of the old folder comes after it has stepped aside; a kill in between once skipped it.
  test('what somebody has changed in the old folder is not lost', async () => {
    const place = new Place()
    renameSync(place.destination, place.aside)
    writeFileSync(join(place.aside, 'file'), 'mine')
    await place.settle()
    expect(place.found).toEqual({ data: 'mine', 'data.unpacking.part': 'new' })
  })

  test('the old folder has its name again when the new one is not there, or is not wanted', async () => {
    const place = new Place()
    renameSync(place.destination, place.aside)
    await place.settle('old')
    expect(place.found).toEqual({ data: 'old', 'data.unpacking.part': 'new' })
    renameSync(place.destination, place.aside)
    rmSync(place.target, { recursive: true })
    await place.settle()
    expect(place.found).toEqual({ data: 'old' })
  })

  test.each(['old', 'new'] as const)(
    'the rest of the old folder goes when the new one has its name already (%s)',
    async (keeps) => {
      const place = new Place()
      renameSync(place.destination, place.aside)
      renameSync(place.target, place.destination)
      rmSync(join(place.aside, 'file'))
      await place.settle(keeps)
      expect(place.found).toEqual({ data: 'new' })
    },
  )

  test('what somebody has put at the destination stays, and so does the old folder', async () => {
    const place = new Place()
    renameSync(place.destination, place.aside)
    make(place.destination, 'mine')
    await place.settle()
    expect(place.found).toEqual({
      data: 'mine',
      'data.replaced.part': 'old',
      'data.unpacking.part': 'new',
    })
  })

  test('what somebody else has put aside is left alone', async () => {
    const place = new Place()
    make(place.aside, 'of somebody else')
    await place.settle()
    expect(place.found).toMatchObject({ data: 'old', 'data.replaced.part': 'of somebody else' })
  })
})
