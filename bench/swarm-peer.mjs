// One process of a data-plane benchmark: a tracker with accounts ready, a seeder, or a downloader.
// Plain JavaScript over dist, because the time to start counts and a loader would be part of it.
//
//   swarm-peer.mjs make   <source file> <descriptor>
//   swarm-peer.mjs tracker <data folder> <ip> <port>
//   swarm-peer.mjs seed   <descriptor> <home> <folder of the file> <ip> <port> <upload cap> <tracker ip> <tracker port> <user> <ready file>
//   swarm-peer.mjs leech  <descriptor> <home> <folder to write to> <ip> <port> <upload cap> <tracker ip> <tracker port> <user> <done file>
//
// Seeder and downloader are the client itself, prompt included; only its terminal is replaced.

import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'

const [role, ...words] = process.argv.slice(2)
const group = 'bench'
const password = 'bench'
const seeders = 4
const leeches = 16

async function startClient(folder, listen, tracker, uploadLimit) {
  const { Client } = await import('../dist/client/client.js')
  const { runPrompt } = await import('../dist/client/prompt/prompt.js')
  const onFailure = (error) => {
    throw error
  }
  const client = new Client({ listen, trackers: [tracker], folder, uploadLimit, onFailure })
  await client.start()
  const input = new PassThrough()
  const waiters = []
  let text = ''
  const output = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      process.stdout.write(chunk)
      for (const waiter of waiters.splice(0)) waiter()
      done()
    },
  })
  void runPrompt({
    operations: client,
    subscribe: (listener) => client.subscribe(listener),
    input,
    output,
    isTerminal: false,
    linger: true,
  })
  const until = async (words) => {
    while (!text.includes(words)) {
      if (text.includes('error:')) throw new Error(text)
      await new Promise((resolve) => waiters.push(resolve))
    }
  }
  return { say: (line) => input.write(`${line}\n`), until }
}

async function peer(onReady) {
  const [descriptor, home, folder, ip, port, up, trackerIp, trackerPort, user, flag] = words
  const { name } = JSON.parse(readFileSync(descriptor, 'utf8'))
  const client = await startClient(
    home,
    { host: ip, port: Number(port) },
    { host: trackerIp, port: Number(trackerPort) },
    Number(up) || undefined,
  )
  client.say(`login ${user} ${password}`)
  await client.until('logged in as')
  await onReady(client, join(folder, name), name)
  writeFileSync(flag, '')
}

/**
 * Accounts and the group, made over the protocol. With keys that are derived once: a tracker that takes
 * long to be ready would leave the memory of the run before cold, and this run would pay for it.
 */
async function prepare(tracker) {
  const { TrackerConnection } = await import('../dist/client/tracker-link/tracker-connection.js')
  const { makeIdentity } = await import('../dist/common/security/identity.js')
  const { credentialsOf, deriveKeys } = await import('../dist/common/security/scram.js')
  const { scramIterations } = await import('../dist/common/limits.js')
  const keys = await deriveKeys(password, randomBytes(16).toString('base64'), scramIterations)
  const must = (answer) => {
    if (!answer.ok) throw new Error(answer.refusal.sentence)
  }
  const enter = async (user) => {
    const connection = new TrackerConnection({
      address: tracker,
      listen: { host: '127.0.0.1', port: 0 },
      identity: makeIdentity(),
      port: () => 1,
      // Whatever the tracker tells: nobody listens.
      told: new Proxy({}, { get: () => () => {} }),
      onTrackers: () => {},
      session: () => undefined,
      onUp: () => {},
      onDown: () => {},
    })
    await connection.start()
    const change = async (method, params) => {
      const id = randomBytes(16).toString('base64url')
      must(await connection.caller.request(method, { ...params, id }))
    }
    await change('register', { user, ...credentialsOf(keys) })
    must(await connection.login({ user, keys: () => Promise.resolve(keys) }))
    return { change, leave: () => connection.stop() }
  }
  const owner = await enter('owner')
  await owner.change('create_group', { group })
  const users = [
    ...Array.from({ length: seeders }, (_, n) => `seed${n}`),
    ...Array.from({ length: leeches }, (_, n) => `leech${n}`),
  ]
  for (const user of users) {
    const member = await enter(user)
    await member.change('join_group', { group })
    await owner.change('accept_request', { group, user })
    member.leave()
  }
  owner.leave()
}

if (role === 'make') {
  writeFileSync(words[1], JSON.stringify({ name: basename(words[0]) }))
} else if (role === 'tracker') {
  const [home, host, port] = words
  const { startTracker } = await import('../dist/tracker/tracker.js')
  const { pino } = await import('pino')
  const dataFolder = join(home, 'tracker')
  // At another port until the accounts are there: who can connect can log in.
  const tracker = await startTracker({
    address: { host: '127.0.0.1', port: 0 },
    number: 1,
    dataFolder,
    log: pino({ level: 'silent' }),
    onLost: (failure) => {
      throw failure
    },
  })
  await prepare(tracker.address)
  await tracker.close()
  process.argv = [process.argv[0], 'tracker', host, port, '--data-dir', dataFolder]
  await import('../dist/tracker/main.js')
} else if (role === 'seed') {
  await peer(async (client, file) => {
    client.say(`upload_file "${file}" ${group}`)
    await client.until('sharing ')
  })
} else if (role === 'leech') {
  await peer(async (client, file, name) => {
    client.say(`download_file ${group} "${name}" "${file}"`)
    await client.until('[C]')
  })
} else {
  throw new Error(`what is "${role}"?`)
}
