// One installs or builds at a time. Each that wants to raises a flag of its own, the file
// `.coterie-lock-<pid>`, and only then looks for others: of two that come together at least one sees
// the other and takes its flag down again. So there is no moment between "is it free?" and "it is mine".
//
// A flag counts while its process lives and it is younger than `flagAgeMaxMs`, so what a killed
// process left behind blocks nobody, nor does a flag whose number another program has got since
// (after a restart of the computer). Nobody ever removes the flag of a live process.

import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './stamp.mjs'

const prefix = '.coterie-lock-'
/** Longer than any install over a slow line takes; see above for why there is an end to it. */
const flagAgeMaxMs = 15 * 60_000
/** A wait shorter than this is not worth a word. */
const quietMs = 2_000

/** Runs `work` while nobody else does. */
export async function alone(work) {
  const own = flagOf(process.pid)
  await raise(own)
  try {
    return await work()
  } finally {
    rmSync(own, { force: true })
  }
}

/** A flag for a process that works for this one: it may live on when this one is killed. */
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
    // A random wait: two that saw each other must not go on doing so.
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100))
  }
}

/** The process, other than this one, whose flag is up. Flags that count no more are removed. */
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
    // EPERM: it lives, and belongs to somebody else.
    return error.code === 'EPERM'
  }
}
