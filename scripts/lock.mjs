// One installs or builds at a time. Each that wants to raises a flag, the file `.coterie-lock-<pid>`, and only then
// looks for others: of two that come together, at least one sees the other and takes its flag down again.
//
// A flag counts while its process lives and it is younger than `flagAgeMaxMs`. So one that a killed process left blocks
// nobody forever, even if another program has its pid after a restart. Nobody removes a flag of others that counts.

import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './stamp.mjs'

const prefix = '.coterie-lock-'
/** Longer than any install over a slow line takes. */
const flagAgeMaxMs = 15 * 60_000
/** A shorter wait is not reported. */
const quietMs = 2_000

/** Runs `work` while no other process does. */
export async function alone(work) {
  const own = flagOf(process.pid)
  await raise(own)
  try {
    return await work()
  } finally {
    rmSync(own, { force: true })
  }
}

/** Runs `work` with a flag for a child process, which may outlive this one. */
export async function withFlagFor(child, work) {
  const flag = flagOf(child.pid)
  writeFileSync(flag, '')
  try {
    return await work()
  } finally {
    rmSync(flag, { force: true })
  }
}

function flagOf(pid) {
  return join(root, `${prefix}${pid}`)
}

async function raise(own) {
  const startedMs = Date.now()
  let told = false
  for (;;) {
    if (holder() === undefined) {
      writeFileSync(own, '')
      if (holder() === undefined) return
      rmSync(own, { force: true })
    }
    if (!told && Date.now() - startedMs > quietMs) {
      process.stderr.write(`waiting for process ${holder() ?? ''}, which is installing or building Coterie\n`)
      told = true
    }
    // A random wait, so that two that saw each other do not collide again and again.
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100))
  }
}

/** Another process whose flag counts. Removes flags that no longer do. */
function holder() {
  for (const name of readdirSync(root)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : process.pid
    if (pid === process.pid) continue
    const flag = join(root, name)
    const raisedMs = statSync(flag, { throwIfNoEntry: false })?.mtimeMs
    if (raisedMs === undefined) continue
    if (isAlive(pid) && Date.now() - raisedMs < flagAgeMaxMs) return pid
    rmSync(flag, { force: true })
  }
  return undefined
}

function isAlive(pid) {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it is alive and belongs to somebody else.
    return error.code === 'EPERM'
  }
}
