// Replaces SQLite in a tracker: SQLite, plus an image of the data file as the disk would have it if the power failed
// now, in the folder COTERIE_DISK_IMAGE. After a kill the campaign restores the image. It is that of one process:
// others on the same file would have to be stopped meanwhile.

import { DatabaseSync as Engine } from '@photostructure/sqlite'
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const writeBackMs = 250
const full = 2

const folder = process.env.COTERIE_DISK_IMAGE
let count = 0
let data

// kill -9 alone loses nothing that was written: the system still has it, flushed or not. To see whether a log relies on
// that, unflushed writes have to be dropped. Cutting the power needs a machine, and a file system that drops writes
// needs root, so this follows what SQLite documents. With synchronous=FULL a commit flushes the write-ahead log before
// it returns: the image is made then. With less, a commit flushes nothing, and the image is made only when a system
// would write back by itself. Linux takes up to 30 s for that; here it is soon, so that a campaign sees it often.
export class DatabaseSync extends Engine {
  exec(sql) {
    super.exec(sql)
    if (basename(this.location() ?? '') !== 'log.sqlite') return
    data ??= this.location()
    if (count === 0 || (sql === 'COMMIT' && synchronous(this) >= full)) makeImage()
  }
}

setInterval(() => data === undefined || makeImage(), writeBackMs).unref()

function synchronous(database) {
  return Object.values(database.prepare('PRAGMA synchronous').get())[0]
}

/** Whole or not at all: made beside the last image, then named. */
function makeImage() {
  const image = join(folder, String(count++ % 2))
  rmSync(image, { recursive: true, force: true })
  mkdirSync(image, { recursive: true })
  for (const tail of ['', '-wal']) {
    if (existsSync(data + tail)) copyFileSync(data + tail, join(image, `log.sqlite${tail}`))
  }
  writeFileSync(join(folder, 'next'), image)
  renameSync(join(folder, 'next'), join(folder, 'image'))
}
