// The life of the package's services on a Debian that is booted, with systemd itself: the tracker as the user of the
// package, a client as a service of its own user.

import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { BootedDebian, type Person } from './booted-debian.ts'
import { differences, filesOf } from './debian-root.ts'
import type { Ran } from './running.ts'
import { Wrongs } from './wrongs.ts'

const trackerUnit = 'coterie-tracker@1.service'
const clientUnit = 'coterie-client.service'
/** What its user may do and see: systemd counts from 0 to 10, and calls less than 2 "OK". */
const exposureMax = 2
const sharedBytes = 3 * 1024 * 1024 + 1
const ann: Person = { name: 'ann', uid: 1000 }
const ben: Person = { name: 'ben', uid: 1001 }
const quiet = { DEBIAN_FRONTEND: 'noninteractive' }

/** In a root that has systemd and no coterie. Resolves to what is wrong, or to why it cannot be told here. */
export async function tellServices(
  root: string,
  [first, second]: readonly [string, string],
  say: (line: string) => void,
): Promise<string[] | { readonly why: string }> {
  mkdirSync(join(root, 'srv/packages'))
  for (const file of [first, second]) copyFileSync(file, join(root, 'srv/packages', basename(file)))
  const wrongs = new Wrongs()
  let before = new Map<string, string>()
  const why = await whileBooted(root, wrongs, async (story) => {
    before = await story.install(first)
    say('booted it with systemd, and installed the package')
    await story.runTracker()
    await story.runClient()
    say('the services of a tracker and of a client shared, and another client fetched')
  })
  if (why !== undefined) return { why }
  const whyNotAgain = await whileBooted(root, wrongs, async (story) => {
    await story.expectBack()
    say('booted it again, and both services were back')
    await story.upgrade(second)
    say('upgraded while both ran')
    story.purge(before)
    say('purged')
  })
  if (whyNotAgain !== undefined) wrongs.add(`it did not boot again: ${whyNotAgain}`)
  return wrongs.all
}

/** Resolves to why it cannot be booted here. */
async function whileBooted(
  root: string,
  wrongs: Wrongs,
  tell: (story: ServiceStory) => Promise<void>,
): Promise<string | undefined> {
  const booted = await BootedDebian.boot(root)
  if ('why' in booted) return booted.why
  try {
    await tell(new ServiceStory(booted, wrongs))
    wrongs.expect('whether the machine shut down in good order', await booted.shutDown(), true)
  } finally {
    await booted.cut()
  }
  return undefined
}

class ServiceStory {
  readonly #place: BootedDebian
  readonly #wrongs: Wrongs

  constructor(place: BootedDebian, wrongs: Wrongs) {
    this.#place = place
    this.#wrongs = wrongs
  }

  /** Returns the files of the machine before. */
  async install(file: string): Promise<Map<string, string>> {
    const state = this.#place.run(['systemctl', 'is-system-running', '--wait']).stdout.trim()
    this.#wrongs.expect('the state of the machine', state, 'running')
    for (const { name, uid } of [ann, ben])
      this.#succeeds('useradd', ['useradd', '--create-home', `--uid=${uid}`, name])
    // Its service manager is there without a login.
    this.#succeeds('enable-linger', ['loginctl', 'enable-linger', ann.name])
    this.#succeeds('the service manager of ann', ['systemctl', 'start', `user@${ann.uid}.service`])
    const before = filesOf(this.#place.root)
    this.#install(file)
    this.#wrongs.expect('the tracker that nobody has started', this.#state(trackerUnit), 'inactive')
    this.#examine()
    return before
  }

  /** systemd understands every line of the units, and how much of the machine they can see is as little as we say. */
  #examine(): void {
    for (const [unit, as] of [
      [trackerUnit, undefined],
      [clientUnit, ann],
    ] as const) {
      const how = as === undefined ? {} : { as }
      const analyze = ['systemd-analyze', ...(as === undefined ? [] : ['--user'])]
      const verified = this.#place.run([...analyze, 'verify', '--man=no', unit], how)
      this.#wrongs.succeeds(`systemd-analyze verify ${unit}`, verified)
      this.#wrongs.expect(`what systemd says of ${unit}`, verified.stderr.trim(), '')
    }
    const { stdout } = this.#place.run(['systemd-analyze', 'security', '--no-pager', trackerUnit])
    const [, exposure = 'unknown'] = /exposure level for \S+: ([\d.]+)/.exec(stdout) ?? []
    if (!(Number(exposure) < exposureMax)) this.#wrongs.add(`the exposure of ${trackerUnit} is ${exposure}`)
  }

  /** Started, stopped, started again, killed: it comes back, and goes only when it shall. */
  async runTracker(): Promise<void> {
    this.#succeeds('enabling the tracker', ['systemctl', 'enable', '--now', trackerUnit])
    const first = await this.#trackerListens()
    this.#succeeds('stopping the tracker', ['systemctl', 'stop', trackerUnit])
    this.#wrongs.expect('the tracker that was stopped', this.#state(trackerUnit), 'inactive')
    const result = this.#property(trackerUnit, 'Result')
    this.#wrongs.expect('how the tracker ended', result, 'success')
    this.#succeeds('starting the tracker', ['systemctl', 'start', trackerUnit])
    const second = await this.#trackerListens(first)
    this.#succeeds('restarting the tracker', ['systemctl', 'restart', trackerUnit])
    const third = await this.#trackerListens(second)
    this.#succeeds('killing the tracker', ['systemctl', 'kill', '--signal=SIGKILL', trackerUnit])
    await this.#place.untilJournal(`UNIT=${trackerUnit}`, /Scheduled restart job[^]*Started/)
    await this.#trackerListens(third)
  }

  /** As docs/operations.md says: the service of ann, and her login in a terminal of the client that runs. */
  async runClient(): Promise<void> {
    const { root } = this.#place
    this.#as(ann, ['mkdir', '-p', '/home/ann/.config/coterie'])
    this.#as(ann, ['cp', '/etc/coterie/tracker_info.txt', '/home/ann/.config/coterie/'])
    this.#as(ann, ['systemctl', '--user', 'daemon-reload'])
    this.#as(ann, ['systemctl', '--user', 'enable', '--now', clientUnit])
    // Of a terminal it knows nothing, so it says nothing: it is there with its socket for other terminals.
    await this.#place.untilThere('home/ann/.local/share/coterie/client-0.0.0.0_4444/control.sock')
    this.#expectRuns(clientUnit, ann.name)
    const content = randomBytes(sharedBytes)
    writeFileSync(join(root, 'srv/photos.tar'), content, { mode: 0o644 })
    this.#types(ann, 4444, ['create_user ann', 'login ann --remember', 'create_group family'])
    this.#types(ann, 4444, ['upload_file /srv/photos.tar family'])
    this.#types(ben, 5555, ['create_user ben', 'login ben', 'join_group family'])
    this.#types(ann, 4444, ['accept_request family ben'])
    this.#types(ben, 5555, ['login ben', 'download_file family photos.tar /home/ben/fetched.tar'])
    const fetched = join(root, 'home/ben/fetched.tar')
    const isSame = existsSync(fetched) && readFileSync(fetched).equals(content)
    this.#wrongs.expect('whether ben has what ann shares', isSame, true)
  }

  /** After the machine was started again. */
  async expectBack(): Promise<void> {
    await this.#trackerListens()
    this.#succeeds('the service manager of ann', ['systemctl', 'start', `user@${ann.uid}.service`])
    await this.#expectGoesOn('after a boot')
  }

  async upgrade(file: string): Promise<void> {
    const [tracker, client] = [trackerUnit, clientUnit].map((unit) => this.#property(unit, 'MainPID'))
    this.#install(file)
    await this.#trackerListens(tracker)
    await this.#expectGoesOn('after the upgrade', client)
    const owner = lstatSync(join(this.#place.root, 'var/lib/coterie')).uid
    this.#wrongs.expect('whether the data still has its user', owner > 0 && owner < ann.uid, true)
  }

  purge(before: Map<string, string>): void {
    const purged = this.#place.run(['apt-get', 'purge', '--yes', 'coterie'], { env: quiet })
    this.#wrongs.succeeds('apt-get purge', purged)
    this.#wrongs.expect('what it could not do', /Failed to [^\n]*/.exec(purged.stderr)?.[0], undefined)
    for (const unit of [trackerUnit, clientUnit])
      this.#wrongs.expect(`${unit} after the purge`, this.#state(unit), 'inactive')
    const { stdout } = this.#place.run(['sh', '-c', 'cat /proc/[0-9]*/comm'])
    this.#wrongs.expect('whether Node still runs', /^node$/m.test(stdout), false)
    // What people have is theirs.
    const left = differences(before, filesOf(this.#place.root)).filter(
      (line) => !/ \/(home|srv)\//.test(line),
    )
    for (const line of left) this.#wrongs.add(`after the purge, ${line}`)
  }

  #install(file: string): void {
    const name = `/srv/packages/${basename(file)}`
    const ran = this.#place.run(['apt-get', 'install', '--yes', name], { env: quiet })
    this.#wrongs.succeeds(`apt-get install ${name}`, ran)
    this.#wrongs.expect('what it could not do', /Failed to [^\n]*/.exec(ran.stderr)?.[0], undefined)
  }

  /** The client logs in by itself, and knows what it knew. */
  async #expectGoesOn(when: string, before?: string): Promise<void> {
    await this.#clientSays(/logged in as ann/, before)
    const listed = this.#types(ann, 4444, ['list_members family'])
    const both = /ann/.test(listed.stdout) && /ben/.test(listed.stdout)
    this.#wrongs.expect(`whether the client is logged in and knows the group ${when}`, both, true)
  }

  /** `before`: the process that it was. Resolves to the process when it listens. */
  async #trackerListens(before?: string): Promise<string> {
    // Until it has said something, it may still be systemd that prepares it, as root.
    await this.#says(trackerUnit, /tracker 1 listening on 127\.0\.0\.1:9002/)
    return this.#expectRuns(trackerUnit, 'coterie', before)
  }

  async #clientSays(what: RegExp, before?: string): Promise<void> {
    await this.#says(clientUnit, what)
    this.#expectRuns(clientUnit, ann.name, before)
  }

  async #says(unit: string, what: RegExp): Promise<void> {
    await this.#place.untilJournal(`_PID=${this.#property(unit, 'MainPID')}`, what)
  }

  /** Whether a service runs, as whom, and as another process than before; returns the process. */
  #expectRuns(unit: string, user: string, before?: string): string {
    this.#wrongs.expect(unit, this.#state(unit), 'active')
    const pid = this.#property(unit, 'MainPID')
    const owner = this.#place.run(['stat', '-c', '%U', `/proc/${pid}`]).stdout.trim()
    this.#wrongs.expect(`the user of ${unit}`, owner, user)
    this.#wrongs.expect(`whether ${unit} is another process than before`, pid !== before, true)
    return pid
  }

  #state(unit: string): string {
    return this.#property(unit, 'ActiveState')
  }

  #property(unit: string, name: string): string {
    const words = ['show', '--value', `--property=${name}`, unit]
    const ran =
      unit === clientUnit
        ? this.#place.run(['systemctl', '--user', ...words], { as: ann })
        : this.#place.run(['systemctl', ...words])
    return ran.stdout.trim()
  }

  /** Commands at a client of this person, which need not run yet. */
  #types(as: Person, port: number, commands: readonly string[]): Ran {
    const listen = as === ann ? `0.0.0.0:${port}` : `127.0.0.1:${port}`
    const words = commands.flatMap((command) => ['-e', command])
    const ran = this.#place.run(['coterie', listen, '/etc/coterie/tracker_info.txt', ...words], {
      as,
      env: { COTERIE_PASSWORD: 'correct-horse-battery' },
    })
    this.#wrongs.succeeds(`"${commands.join('; ')}" of ${as.name}`, ran)
    return ran
  }

  #as(as: Person, words: readonly string[]): void {
    this.#wrongs.succeeds(`${words.join(' ')} of ${as.name}`, this.#place.run(words, { as }))
  }

  #succeeds(what: string, words: readonly string[]): void {
    this.#wrongs.succeeds(what, this.#place.run(words))
  }
}
