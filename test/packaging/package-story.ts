// The life of the Debian package on a machine that has only Debian, and all that is wrong in it.

import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { version } from '../../src/common/version.ts'
import { buildPackage, dpkgDeb } from './built-package.ts'
import { ConfinedRoot } from './confined-root.ts'
import { differences, filesOf, makeDebian, makesBootable } from './debian-root.ts'
import { client, startClient, startTracker } from './installed.ts'
import type { Running } from './running.ts'
import { tellServices } from './service-story.ts'
import { Wrongs } from './wrongs.ts'

interface Options {
  /** The name of a release, or a tarball that mmdebstrap made of one. */
  readonly debian: string
  /** The Node that the package brings. */
  readonly node: string
  readonly compression: string
  readonly say: (line: string) => void
}

const data = 'var/lib/coterie'
const sharedBytes = 5 * 1024 * 1024 + 1

export interface Told {
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[]
  /** The same of its services, under systemd. */
  readonly services?: readonly string[]
  /** Why the services could not be tried with systemd here, in a word. */
  readonly notBooted?: string
}

/** Rejects when the machine or the packages cannot be made. */
export async function checkPackage(folder: string, options: Options): Promise<Told> {
  const { say, node, compression, debian } = options
  const [first, second] = ['1', '2'].map((revision) =>
    buildPackage(['--out', folder, '--revision', revision, '--node', node, '--compression', compression]),
  ) as [string, string]
  say(`built ${basename(first)} and ${basename(second)}`)
  const root = join(folder, 'root')
  makeDebian(root, debian, dependenciesOf(first))
  say(`made a Debian from ${basename(debian)}`)
  const place = await ConfinedRoot.open(root)
  const problems: string[] = []
  try {
    const story = new PackageStory(place, say)
    await story.tell(first, second)
    problems.push(...story.wrongs.all)
    // The same machine, as it was before, with more of Debian.
    const { status } = place.run(makesBootable, { env: { DEBIAN_FRONTEND: 'noninteractive' } })
    if (status !== 0) return { problems, notBooted: `${basename(debian)} lacks the packages of systemd` }
  } finally {
    await place.close()
  }
  const services = await tellServices(root, [first, second], say)
  return 'why' in services ? { problems, notBooted: services.why } : { problems, services }
}

/** The names alone: dpkg checks the versions. */
function dependenciesOf(file: string): string[] {
  return dpkgDeb('-f', file, 'Depends')
    .trim()
    .split(', ')
    .map((each) => each.replace(/ .*/, ''))
}

class PackageStory {
  readonly wrongs = new Wrongs()
  readonly #place: ConfinedRoot
  readonly #say: (line: string) => void

  constructor(place: ConfinedRoot, say: (line: string) => void) {
    this.#place = place
    this.#say = say
  }

  async tell(first: string, second: string): Promise<void> {
    const before = filesOf(this.#place.root)
    this.#dpkg('--install', first)
    this.#expectInstalled()
    const tracker = await startTracker(this.#place)
    await this.#share()
    this.#say('a tracker and two clients shared and fetched')
    await this.#upgrade(tracker, second)
    this.#say('upgraded')
    await this.#removeAndInstall(second)
    this.#say('removed and installed again')
    this.#dpkg('--purge', 'coterie')
    for (const line of differences(before, filesOf(this.#place.root)))
      this.wrongs.add(`after the purge, ${line}`)
    this.#say('purged')
  }

  #expectInstalled(): void {
    const found = this.#place.run(['stat', '-c', '%U:%G %a', `/${data}`]).stdout.trim()
    this.wrongs.expect('the data folder', found, 'coterie:coterie 700')
    const shell = this.#place.run(['getent', 'passwd', 'coterie']).stdout.trim()
    this.wrongs.expect('the shell of its user', shell.split(':').at(-1), '/usr/sbin/nologin')
    for (const command of ['coterie', 'coterie-tracker']) {
      const { stdout } = this.#place.run([command, '--version'])
      this.wrongs.expect(`${command} --version`, stdout.trim(), `coterie ${version}`)
      const help = this.#place.run([command, '--help']).stdout
      this.wrongs.expect(`what ${command} calls itself`, /^Usage: (\S+)/i.exec(help)?.[1], command)
    }
    const unit = '/usr/lib/systemd/system/coterie-tracker@.service'
    if (!existsSync(join(this.#place.root, unit))) this.wrongs.add(`${unit} is missing`)
  }

  /** Ann shares, Ben asks, she lets him in from another terminal, he fetches. */
  async #share(): Promise<void> {
    const { root } = this.#place
    const content = randomBytes(sharedBytes)
    writeFileSync(join(root, 'tmp/photos.tar'), content)
    // As a person's umask allows it to be read.
    chmodSync(join(root, 'tmp/photos.tar'), 0o644)
    const commands = [
      'create_user ann',
      'login ann',
      'create_group family',
      'upload_file /tmp/photos.tar family',
    ]
    const ann = await startClient(this.#place, 4444, commands, /sharing photos\.tar/)
    this.wrongs.succeeds(
      'asking',
      client(this.#place, 5555, ['create_user ben', 'login ben', 'join_group family']),
    )
    this.wrongs.succeeds('letting in', client(this.#place, 4444, ['accept_request family ben']))
    this.wrongs.succeeds(
      'fetching',
      client(this.#place, 5555, ['login ben', 'download_file family photos.tar /tmp/fetched.tar']),
    )
    const fetched = join(root, 'tmp/fetched.tar')
    this.wrongs.expect('what was fetched', existsSync(fetched) && readFileSync(fetched).equals(content), true)
    this.wrongs.expect('the exit of the client', await ann.end(), 0)
  }

  /** What the operator wrote stays, and so does what the tracker knows; what runs is restarted. */
  async #upgrade(tracker: Running, second: string): Promise<void> {
    const { root } = this.#place
    appendFileSync(join(root, 'etc/coterie/tracker_info.txt'), '# our own\n')
    // As for a second tracker; it goes with the purge.
    writeFileSync(join(root, 'etc/coterie/tracker-2.env'), '')
    const asked = this.#withServiceManager(() => this.#dpkg('--install', second))
    for (const call of ['restart coterie-tracker@1.service', 'try-restart coterie-client.service'])
      this.wrongs.expect(`whether ${call} was asked for`, asked.includes(call), true)
    this.wrongs.expect('the exit of the tracker', await tracker.end(), 0)
    const settings = readFileSync(join(root, 'etc/coterie/tracker_info.txt'), 'utf8')
    this.wrongs.expect('the list of the operator', settings.endsWith('# our own\n'), true)
    await this.#expectKnown('after the upgrade')
  }

  async #removeAndInstall(second: string): Promise<void> {
    const { root } = this.#place
    this.#dpkg('--remove', 'coterie')
    for (const path of ['usr/lib/coterie', 'usr/bin/coterie', 'usr/bin/coterie-tracker'])
      this.wrongs.expect(`whether /${path} is there when removed`, existsSync(join(root, path)), false)
    this.wrongs.expect('whether the data is there when removed', existsSync(join(root, data)), true)
    this.#dpkg('--install', second)
    await this.#expectKnown('installed again')
  }

  /** The tracker starts with what it knew, and ends in good order. */
  async #expectKnown(when: string): Promise<void> {
    const tracker = await startTracker(this.#place)
    const listed = client(this.#place, 5555, ['login ben', 'list_members family'])
    this.wrongs.succeeds(`a login ${when}`, listed)
    this.wrongs.expect(`the members ${when}`, /ann/.test(listed.stdout) && /ben/.test(listed.stdout), true)
    this.wrongs.expect(`the exit of the tracker ${when}`, await tracker.end(), 0)
    this.wrongs.expect(`the owner of the data ${when}`, lstatSync(join(this.#place.root, data)).uid > 0, true)
  }

  /** Does something while systemd seems to run, with tracker 1 and a user logged in; returns what it was asked. */
  #withServiceManager(act: () => void): string {
    const { root } = this.#place
    const [fake, calls] = ['usr/local/bin/systemctl', 'tmp/systemctl.log'].map((path) =>
      join(root, path),
    ) as [string, string]
    mkdirSync(join(root, 'run/systemd/system'), { recursive: true })
    writeFileSync(
      fake,
      `#!/bin/sh
echo "$*" >>/tmp/systemctl.log
case "$*" in
  *list-units*coterie-tracker*) echo 'coterie-tracker@1.service loaded active running Coterie tracker 1' ;;
  *list-units*user@*) echo 'user@0.service loaded active running User Manager for UID 0' ;;
  *is-enabled*) echo enabled ;;
esac
`,
    )
    chmodSync(fake, 0o755)
    try {
      act()
      return readFileSync(calls, 'utf8')
    } finally {
      this.#place.run(['rm', '-r', '/usr/local/bin/systemctl', '/run/systemd/system'])
    }
  }

  #dpkg(action: string, what: string): void {
    const name = basename(what)
    if (what.includes('/')) copyFileSync(what, join(this.#place.root, 'tmp', name))
    const ran = this.#place.run(['dpkg', action, what.includes('/') ? `/tmp/${name}` : what], {
      env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
    })
    this.wrongs.succeeds(`dpkg ${action} ${name}`, ran)
  }
}
