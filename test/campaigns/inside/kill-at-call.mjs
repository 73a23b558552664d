// Preloaded into a client: kills it right before its n-th call that changes the file system. COTERIE_KILL_AT_CALL is n,
// or 0 for never; the names of the calls go to the file COTERIE_CALL_LOG, one per line.

import fs from 'node:fs'
import fsPromises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const killAt = Number(process.env.COTERIE_KILL_AT_CALL)
const log = process.env.COTERIE_CALL_LOG
let count = 0
/** Writing the log makes such calls itself. */
let isLogging = false

function watch(object, name) {
  const original = object[name]
  object[name] = function (...given) {
    if (!isLogging) onCall(name, given[0])
    return original.apply(this, given)
  }
}

function onCall(name, path) {
  count++
  isLogging = true
  fs.appendFileSync(log, `${name} ${typeof path === 'string' ? path : ''}\n`)
  isLogging = false
  if (count === killAt) process.kill(process.pid, 'SIGKILL')
}

/** Opening counts only when it may create a file. */
function watchOpen(object, name) {
  const original = object[name]
  object[name] = function (...given) {
    const flags = given[1]
    const mayMake =
      typeof flags === 'number' ? (flags & fs.constants.O_CREAT) !== 0 : /[wa]/.test(flags ?? '')
    if (mayMake && !isLogging) onCall(name, given[0])
    return original.apply(this, given)
  }
}

if (isMainThread) {
  const handle = await fsPromises.open(process.execPath)
  const prototype = Object.getPrototypeOf(handle)
  await handle.close()
  for (const name of ['sync', 'chmod', 'truncate', 'write']) watch(prototype, name)
  for (const name of ['link', 'rename', 'rm', 'writeFile', 'mkdir', 'chmod', 'rmdir']) watch(fsPromises, name)
  // The last two remove what is below a folder, one by one.
  for (const name of ['futimesSync', 'mkdirSync', 'writeSync', 'unlink', 'rmdir']) watch(fs, name)
  watchOpen(fsPromises, 'open')
  watchOpen(fs, 'openSync')
  syncBuiltinESMExports()
}
