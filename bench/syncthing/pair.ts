// Two Syncthings that know each other and share one folder: the first has its file, the second has nothing yet.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { freePorts } from '../../test/free-ports.ts'

/** Far longer than any start or transfer takes. */
const patienceMs = 120_000
const pollMs = 10
const apiKey = 'bench'
const folderId = 'bench'

export function hasSyncthing(): boolean {
  return spawnSync('syncthing', ['--version']).status === 0
}

interface FolderStatus {
  readonly state: string
  readonly globalBytes: number
  readonly needBytes: number
  readonly inSyncBytes: number
}

/** One program with its REST interface. */
class Syncthing {
  readonly #home: string
  readonly #api: number
  readonly port: number
  #process: ChildProcess | undefined
  id = ''

  private constructor(home: string, api: number, port: number) {
    this.#home = home
    this.#api = api
    this.port = port
  }

  /** Starts it with nobody to talk to: no discovery, no relays, no addresses but loopback. */
  static async start(home: string): Promise<Syncthing> {
    const [api = 0, port = 0] = await freePorts(2)
    const program = new Syncthing(home, api, port)
    const made = spawnSync('syncthing', [
      'generate',
      `--home=${home}`,
      '--no-default-folder',
      '--skip-port-probing',
    ])
    if (made.status !== 0) throw new Error(`syncthing generate: ${made.stderr.toString()}`)
    await program.#run()
    const { myID } = (await program.#get('/rest/system/status')) as { myID: string }
    program.id = myID
    await program.change('PATCH', '/rest/config/options', {
      listenAddresses: [`tcp://127.0.0.1:${port}`],
      globalAnnounceEnabled: false,
      localAnnounceEnabled: false,
      relaysEnabled: false,
      natEnabled: false,
      crashReportingEnabled: false,
      urAccepted: -1,
      autoUpgradeIntervalH: 0,
      reconnectionIntervalS: 1,
    })
    return program
  }

  async #run(): Promise<void> {
    const words = ['serve', `--home=${this.#home}`, '--no-browser', '--no-restart', '--no-upgrade']
    const where = [`--gui-address=http://127.0.0.1:${this.#api}`, `--gui-apikey=${apiKey}`]
    this.#process = spawn('syncthing', [...words, ...where], { stdio: 'ignore' })
    await this.until(async () => {
      try {
        await this.#get('/rest/system/ping')
        return true
      } catch {
        return false
      }
    })
  }

  async #get(path: string): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${this.#api}${path}`, { headers: { 'X-API-Key': apiKey } })
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
    return answer.json()
  }

  async change(method: string, path: string, body: object): Promise<void> {
    const url = `http://127.0.0.1:${this.#api}${path}`
    const answer = await fetch(url, { method, headers: { 'X-API-Key': apiKey }, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  }

  async status(): Promise<FolderStatus> {
    return (await this.#get(`/rest/db/status?folder=${folderId}`)) as FolderStatus
  }

  async isConnectedTo(other: Syncthing): Promise<boolean> {
    const { connections } = (await this.#get('/rest/system/connections')) as {
      connections: Record<string, { connected: boolean } | undefined>
    }
    return connections[other.id]?.connected === true
  }

  /** `path`: its copy of the folder. */
  async shareWith(other: Syncthing, path: string): Promise<void> {
    await this.change('POST', '/rest/config/devices', {
      deviceID: other.id,
      addresses: [`tcp://127.0.0.1:${other.port}`],
      paused: true,
    })
    await this.change('POST', '/rest/config/folders', {
      id: folderId,
      path,
      devices: [{ deviceID: this.id }, { deviceID: other.id }],
      fsWatcherEnabled: false,
      rescanIntervalS: 3600,
    })
  }

  async until(holds: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + patienceMs
    while (!(await holds())) {
      if (performance.now() > deadlineMs) throw new Error('syncthing takes too long')
      await setTimeout(pollMs)
    }
  }

  async close(): Promise<void> {
    if (this.#process === undefined || this.#process.exitCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }
}

export class SyncthingPair {
  readonly #from: Syncthing
  readonly #to: Syncthing

  private constructor(from: Syncthing, to: Syncthing) {
    this.#from = from
    this.#to = to
  }

  /** In a folder of their own; the first one has scanned and hashed what is in `shared`. */
  static async start(folder: string, shared: string): Promise<SyncthingPair> {
    const from = await Syncthing.start(join(folder, 'from'))
    const to = await Syncthing.start(join(folder, 'to'))
    const copy = join(folder, 'copy')
    mkdirSync(copy)
    await from.shareWith(to, shared)
    await to.shareWith(from, copy)
    for (const each of [from, to]) await each.until(async () => (await each.status()).state === 'idle')
    return new SyncthingPair(from, to)
  }

  /** Lets the two connect; resolves to the milliseconds from the connection to the whole copy of so many bytes. */
  async sync(bytes: number): Promise<number> {
    const [from, to] = [this.#from, this.#to]
    await from.change('PATCH', `/rest/config/devices/${to.id}`, { paused: false })
    await to.change('PATCH', `/rest/config/devices/${from.id}`, { paused: false })
    await to.until(() => to.isConnectedTo(from))
    const startedAtMs = performance.now()
    await to.until(async () => {
      const { state, globalBytes, inSyncBytes, needBytes } = await to.status()
      return state === 'idle' && globalBytes >= bytes && inSyncBytes >= bytes && needBytes === 0
    })
    return performance.now() - startedAtMs
  }

  async close(): Promise<void> {
    await Promise.all([this.#from.close(), this.#to.close()])
  }
}
