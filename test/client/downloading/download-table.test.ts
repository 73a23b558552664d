import { expect, test } from 'vitest'
import type { Download } from '../../../src/client/downloading/download.ts'
import { DownloadTable } from '../../../src/client/downloading/download-table.ts'

function aDownload(name: string, within?: string, state = 'running'): Download {
  return { record: { group: 'g', name, within }, state } as unknown as Download
}

test('downloads are found by their names, and with their parts by their entry', () => {
  const table = new DownloadTable()
  const [whole, part, other] = [aDownload('f'), aDownload('f', 'a/b', 'complete'), aDownload('h', 'a/b')]
  for (const each of [whole, part, other]) table.put(each)
  const find = (name: string): Download | undefined => table.find({ group: 'g', name })
  expect([find('f'), find('f/a/b'), find('f/a')]).toEqual([whole, part, undefined])
  expect([...table.of({ group: 'g', name: 'f' })]).toEqual([whole, part])
  expect(table.unfinishedOf({ group: 'g', name: 'f' })).toEqual([whole])
  table.remove({ group: 'g', name: 'f' })
  expect([table.all, table.of({ group: 'g', name: 'f' })]).toEqual([[part, other], [part]])
  table.remove({ group: 'g', name: 'f/a/b' })
  expect(table.of({ group: 'g', name: 'f' })).toEqual([])
})

test('one that takes the place of another is the only one there', () => {
  const table = new DownloadTable()
  const [former, other, next] = [aDownload('f', 'a'), aDownload('h'), aDownload('f', 'a')]
  for (const each of [former, other, next]) table.put(each)
  expect(table.all[0]).toBe(next)
  expect(table.of({ group: 'g', name: 'f' })).toHaveLength(1)
  expect(table.of({ group: 'g', name: 'f' })[0]).toBe(next)
})
