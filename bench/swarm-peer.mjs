// One process of a data-plane benchmark: a tracker with accounts ready, a seeder, or a downloader.
// Plain JavaScript over dist: start time is part of the measurement, and a loader would add to it.
//
//   swarm-peer.mjs make   <source file> <descriptor>
//   swarm-peer.mjs accounts <data folder of a tracker, to be made>
//   swarm-peer.mjs tracker <folder of accounts> <home> <ip> <port>
//   swarm-peer.mjs seed   <descriptor> <home> <folder of the file> <ip> <port> <upload cap> <tracker ip> <tracker port> <user> <ready file>
//   swarm-peer.mjs leech  <descriptor> <home> <folder to write to> <ip> <port> <upload cap> <tracker ip> <tracker port> <user> <done file>
//
// Seeder and downloader are the built client, with only its terminal replaced. With COTERIE_TLS, the folder of
// accounts, all connections are encrypted.

import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'

const [role, ...words] = process.argv.slice(2)
const group = 'bench'
const password = 'bench'
const seeders = 4
const leeches = 16
const accountsForTls = process.env['COTERIE_TLS']

/** Runs the real client in this process, with streams in place of its terminal. */
async function startClient(words) {
  const input = new PassThrough()
  const waiters = []
  let text = ''
  Object.defineProperty(process, 'stdin', { value: input })
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = (chunk, ...rest) => {
    text += chunk
    for (const waiter of waiters.splice(0)) waiter()
    return write(chunk, ...rest)
  }
  process.argv = [process.argv[0], 'client', ...words]
  // As the launcher does.
  process.env.COTERIE_CODE = fileURLToPath(new URL('../dist/client', import.meta.url))
  await import('../dist/client/main.js')
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
  const limit = Number(up) > 0 ? ['--upload-limit', up] : []
  if (accountsForTls !== undefined) trust(home, `${trackerIp}:${trackerPort}`)
  const tls = accountsForTls === undefined ? [] : ['--tls']
  const client = await startClient([
    ip,
    port,
    trackerIp,
    trackerPort,
    '--data-dir',
    home,
    '--linger',
    ...limit,
    ...tls,
  ])
  client.say(`login ${user} ${password}`)
  await client.until('logged in as')
  await onReady(client, join(folder, name), name)
  writeFileSync(flag, '')
}

/** As if a person had said yes at the first start. The tracker has the key that it had when the accounts were made. */
function trust(home, tracker) {
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const fingerprint = readFileSync(fingerprintFile(accountsForTls), 'utf8')
  writeFileSync(join(home, 'known_trackers'), `${tracker} ${fingerprint}\n`, { mode: 0o600 })
}

/** Of the tracker with these accounts. It is read, not computed, since that would count as time of the program's start. */
function fingerprintFile(accounts) {
  return `${accounts}.fingerprint`
}

/** Makes the accounts and the group over the protocol. The keys are derived once for all accounts. */
async function prepare(tracker) {
  const { TrackerConnection } = await import('../dist/client/tracker-link/tracker-connection.js')
  const { NetworkChanges } = await import('../dist/client/network/network-changes.js')
  const { makeIdentity } = await import('../dist/common/security/identity.js')
  const { Protection } = await import('../dist/common/wire/protection.js')
  const { credentialsOf, deriveKeys } = await import('../dist/common/security/scram.js')
  const { scramIterations } = await import('../dist/common/limits.js')
  const keys = await deriveKeys(password, randomBytes(16).toString('base64'), scramIterations)
  const must = (answer) => {
    if (!answer.ok) throw new Error(answer.refusal.sentence)
  }
  const enter = async (user) => {
    const identity = makeIdentity()
    const connection = new TrackerConnection({
      address: tracker,
      listen: { host: '127.0.0.1', port: 0 },
      identity,
      protection: new Protection(identity.forTls, 'beyond'),
      changes: new NetworkChanges(),
      trust: { check: () => undefined, pinOf: () => undefined },
      whereabouts: async () => ({ port: 1 }),
      // Ignores every notification.
      told: new Proxy({}, { get: () => () => {} }),
      onTrackers: () => {},
      credentialsFor: () => undefined,
      onLoginEnded: () => {},
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

/** Makes a tracker's data folder that has the accounts. */
async function makeAccounts(dataFolder) {
  const { startTracker } = await import('../dist/tracker/tracker.js')
  const { pino } = await import('pino')
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
  const { fingerprintOf, loadIdentity } = await import('../dist/common/security/identity.js')
  writeFileSync(
    fingerprintFile(dataFolder),
    fingerprintOf(loadIdentity(join(dataFolder, 'tracker-1')).publicKey),
  )
}

if (role === 'make') {
  const [source, descriptor] = words
  writeFileSync(descriptor, JSON.stringify({ name: basename(source) }))
} else if (role === 'accounts') {
  await makeAccounts(words[0])
} else if (role === 'tracker') {
  const [accounts, home, host, port] = words
  // Copies ready-made accounts: while a slow tracker starts, the memory of the last run would turn cold, and
  // only this program of the comparison would pay for that.
  const dataFolder = join(home, 'tracker')
  cpSync(accounts, dataFolder, { recursive: true })
  const tls = accountsForTls === undefined ? [] : ['--tls']
  process.argv = [process.argv[0], 'tracker', host, port, '--data-dir', dataFolder, ...tls]
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
  throw new Error(`unknown role "${role}"`)
}
