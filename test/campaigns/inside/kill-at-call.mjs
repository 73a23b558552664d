// Preloaded into a client: kills it right before its n-th call that changes the file system. COTERIE_KILL_AT_CALL is n,
// or 0 for never; the names of the calls go to the file COTERIE_CALL_LOG, one per line.

import fs from 'node:fs'
import fsPromises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const killAt = Number(process.env.COTERIE_KILL_AT_CALL)
const log = process.env.COTERIE_CALL_LOG
let count = 0

function watch(object, name) {
  const original = object[name]
  object[name] = function (...given) {
    count++
    fs.appendFileSync(log, `${name} ${typeof given[0] === 'string' ? given[0] : ''}\n`)
    if (count === killAt) process.kill(process.pid, 'SIGKILL')
    return original.apply(this, given)
  }
}

/** Opening counts only when it may create a file. */
function watchOpen() {
  const original = fsPromises.open
  const readOnly = new Set(['r', fs.constants.O_RDONLY, undefined])
  const making = (...given) => original(...given)
  const wrapped = { open: making }
  watch(wrapped, 'open')
  fsPromises.open = (path, flags, mode) => (readOnly.has(flags) ? original : wrapped.open)(path, flags, mode)
}

if (isMainThread) {
  const handle = await fsPromises.open(process.execPath)
  const prototype = Object.getPrototypeOf(handle)
  await handle.close()
  for (const name of ['sync', 'chmod', 'truncate', 'write']) watch(prototype, name)
  for (const name of ['link', 'rename', 'rm', 'writeFile']) watch(fsPromises, name)
  watch(fs, 'futimesSync')
  watchOpen()
  syncBuiltinESMExports()
}
