// node fetch-new.mjs <address of the client> <group> <folder>
//
// Fetches what a group has and the folder has not, and waits until all of it is there.

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { connect, Failure } from 'coterie'

const [listen = '', group = '', folder = ''] = process.argv.slice(2)

try {
  const client = await connect({ listen })
  await fetchNew(client)
  await client.close()
} catch (error) {
  // No client runs there, or it has ended meanwhile.
  if (!(error instanceof Failure)) throw error
  complain(error.message)
}

async function fetchNew(client) {
  // Before the first download begins, so that no event is missed.
  const events = client.events()
  const waiting = await beginDownloads(client)
  if (waiting.size === 0) return
  for await (const event of events) {
    if (event.group !== group || !waiting.delete(event.name)) continue
    if (event.kind === 'download-complete') console.log(`${event.name} is complete: ${event.sizeBytes} bytes`)
    if (event.kind === 'download-failed') complain(`${event.name}: ${event.why}`)
    if (waiting.size === 0) return
  }
  complain('the client has ended')
}

/** Resolves to the names that are on their way. */
async function beginDownloads(client) {
  const waiting = new Set()
  const files = await client.listFiles(group)
  if (!files.ok) {
    complain(files.refusal.sentence)
    return waiting
  }
  mkdirSync(folder, { recursive: true })
  for (const { name } of files.value) {
    const destination = join(folder, name)
    if (existsSync(destination)) continue
    const begun = await client.downloadFile(group, name, destination, { overwrite: false })
    if (begun.ok) waiting.add(name)
    else complain(begun.refusal.sentence)
  }
  return waiting
}

function complain(sentence) {
  console.error(`error: ${sentence}`)
  process.exitCode = 1
}
