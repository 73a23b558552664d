// Runs a program of the checks to its end.

import { spawn } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'

/** Far longer than the whole gate takes on a machine that is busy: a step that hangs is stopped, and its output shown. */
const patienceMs = 30 * 60_000

/** Resolves to its outcome, with both outputs as one text, and the seconds that it took. */
export function run(command, args, { cwd, env }) {
  return new Promise((resolve) => {
    const startedMs = performance.now()
    const child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
      timeout: patienceMs,
      killSignal: 'SIGKILL',
    })
    const parts = []
    const end = (ok) =>
      resolve({
        ok,
        output: stripVTControlCharacters(Buffer.concat(parts).toString()),
        seconds: (performance.now() - startedMs) / 1000,
      })
    child.stdout.on('data', (bytes) => parts.push(bytes))
    child.stderr.on('data', (bytes) => parts.push(bytes))
    child.on('error', (error) => {
      parts.push(Buffer.from(`cannot run ${command}: ${error.message}`))
      end(false)
    })
    child.on('close', (code, signal) => {
      if (signal !== null) parts.push(Buffer.from(`\nended by ${signal}\n`))
      end(code === 0)
    })
  })
}
