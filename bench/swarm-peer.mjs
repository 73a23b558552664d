// One process of a data-plane benchmark: a tracker with accounts ready, a seeder, or a downloader.
// Plain JavaScript over dist, because the time to start counts and a loader would be part of it.
//
//   swarm-peer.mjs make   <source file> <descriptor>
//   swarm-peer.mjs tracker <data folder> <ip> <port>
//   swarm-peer.mjs seed   <descriptor> <home> <folder of the file> <ip> <port> <upload cap> <tracker ip> <tracker port> <user> <ready file>
//   swarm-peer.mjs leech  <descriptor> <home> <folder to write to> <ip> <port> <upload cap> <tracker ip> <tracker port> <user> <done file>
//
// Seeder and downloader are the client itself, prompt included; only its terminal is replaced.

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
  await onReady(client, join(folder, name), name)
  writeFileSync(flag, '')
}

/** Accounts and the group, made through the client like everything else. */
async function prepare(folder, tracker) {
  const { Client } = await import('../dist/client/client.js')
  const makeClient = async (name) => {
    const client = new Client({
      listen: { host: '127.0.0.1', port: 0 },
      trackers: [tracker],
      folder: join(folder, name),
      onFailure: (error) => {
        throw error
      },
    })
    await client.start()
    return client
  }
  const must = (answer) => {
    if (!answer.ok) throw new Error(answer.refusal.sentence)
  }
  const owner = await makeClient('owner')
  must(await owner.createUser('owner', password))
  must(await owner.login('owner', password))
  must(await owner.createGroup(group))
  const users = [
    ...Array.from({ length: seeders }, (_, n) => `seed${n}`),
    ...Array.from({ length: leeches }, (_, n) => `leech${n}`),
  ]
  for (const user of users) {
    const client = await makeClient(user)
    must(await client.createUser(user, password))
    must(await client.login(user, password))
    must(await client.joinGroup(group))
    must(await owner.acceptRequest(group, user))
    await client.close()
  }
  must(await owner.createGroup('ready'))
  await owner.close()
}

async function untilPrepared(client) {
  // Seeders start together with the tracker: they come in as soon as their accounts are there.
  await client.until('logged in as')
}

if (role === 'make') {
  writeFileSync(words[1], JSON.stringify({ name: basename(words[0]) }))
} else if (role === 'tracker') {
  const [folder, host, port] = words
  process.argv = [process.argv[0], 'tracker', host, port, '--data-dir', join(folder, 'tracker')]
  await import('../dist/tracker/main.js')
  await prepare(folder, { host, port: Number(port) })
} else if (role === 'seed') {
  await waitForAccounts()
  await peer(async (client, file) => {
    await untilPrepared(client)
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

/** Not part of what is measured: a seeder waits until the tracker has all accounts. */
async function waitForAccounts() {
  const [, home, , , , , trackerIp, trackerPort, user] = words
  const { Client } = await import('../dist/client/client.js')
  const client = new Client({
    listen: { host: '127.0.0.1', port: 0 },
    trackers: [{ host: trackerIp, port: Number(trackerPort) }],
    folder: join(home, 'waiting'),
    onFailure: () => {},
  })
  await client.start()
  for (;;) {
    const login = await client.login(user, password)
    const groups = login.ok ? await client.listGroups() : undefined
    if (groups?.ok && groups.value.some((each) => each.group === 'ready')) break
    await client.logout()
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  await client.close()
}
