// The container image, without a container engine: what the Dockerfile's last stage copies is made by the same script, and
// runs as a machine of its own, with the user, the environment and the commands that the Dockerfile says.

import { spawnSync } from 'node:child_process'
import {
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { read, root as sources } from '../deploy/deployed.ts'
import { ConfinedRoot, noConfinement } from './confined-root.ts'

const [build = '', final = ''] = read('Dockerfile').split(/^FROM scratch\n/m)

/** The words of an instruction of the last stage. */
function instruction(name: string): string {
  const [, words] = new RegExp(`^${name} ((?:.*\\\\\\n)*.*)$`, 'm').exec(final) ?? []
  if (words === undefined) throw new Error(`the Dockerfile has no ${name}`)
  return words
}

/** The words of one that names a program, as Docker starts it. */
function words(text: string): string[] {
  return JSON.parse(/\[.*\]/s.exec(text)?.[0] ?? '[]') as string[]
}

/** What each COPY takes from the build, where to, and whose it is then. */
const copies = [...final.matchAll(/^COPY --from=build (?:--chown=(\d+):(\d+) )?(\S+) (\S+)$/gm)].map(
  ([, uid = '0', gid = '0', from = '', to = '']) => ({ uid: Number(uid), gid: Number(gid), from, to }),
)

describe.skipIf(noConfinement !== '')(`the container image${noConfinement}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-test-'))
  const root = join(folder, 'root')
  const list = '/etc/coterie/tracker_info.txt'
  let place: ConfinedRoot

  beforeAll(async () => {
    const [, script = '', target = ''] = /^RUN node (\S+) (\S+)$/m.exec(build) ?? []
    const made = join(folder, 'build', target)
    const ran = spawnSync(process.execPath, [join(sources, script), made], { encoding: 'utf8' })
    if (ran.status !== 0) throw new Error(ran.stderr)
    for (const { from, to, uid, gid } of copies) {
      if (to === '/') renameSync(join(folder, 'build', from), root)
      else cpSync(join(folder, 'build', from), join(root, to), { recursive: true })
      chownSync(join(root, to), uid, gid)
    }
    // What somebody who runs it mounts and says; compose.yaml has its root read-only too.
    mkdirSync(join(root, 'etc/coterie'))
    writeFileSync(join(root, list), '127.0.0.1:9002\n')
    mkdirSync(join(root, 'proc'))
    const [, name = '', value = ''] = /^(\w+)=(\S+)$/.exec(instruction('ENV')) ?? []
    place = await ConfinedRoot.open(root, {
      first: {
        words: [...words(instruction('ENTRYPOINT')), list, '1', '--data-dir', '/data', '--tls'],
        user: instruction('USER'),
        env: { [name]: value },
      },
      prepare: `mkdir "${folder}/volume"; mount --bind "$root" "$root"; mount --bind "$root/data" "${folder}/volume"
        mount -o remount,bind,ro "$root"; mount --bind "${folder}/volume" "$root/data"`,
    })
    await place.first.hears(/tracker 1 listening on/)
  })
  afterAll(async () => {
    await place.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const health = (): { status: number | null; stderr: string } =>
    place.run(words(/CMD (.*)/.exec(instruction('HEALTHCHECK'))?.[1] ?? ''), { user: instruction('USER') })

  test('has nothing but the tracker, Node and its libraries', () => {
    expect(copies.map(({ to }) => to)).toEqual(['/', '/data/'])
    const programs = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && (statSync(join(entry.parentPath, entry.name)).mode & 0o111) !== 0,
    )
    const names = programs.map(({ name }) => name).filter((name) => !/\.(so|node)\b/.test(name))
    expect(names).toEqual(['node'])
  })

  test('runs the tracker with the last rights, and keeps its data for its own user alone', () => {
    const data = readdirSync(join(root, 'data'))
    expect(data.length).toBeGreaterThan(0)
    for (const name of data)
      expect(statSync(join(root, 'data', name))).toMatchObject({ uid: 1000, gid: 1000 })
    expect(statSync(join(root, 'data')).mode & 0o777).toBe(0o700)
    expect(place.run(words(instruction('ENTRYPOINT')), { user: instruction('USER') }).stderr).toMatch(
      /^error: /,
    )
  })

  test('says that the tracker is well while it answers, and not when it hangs', () => {
    expect(health()).toMatchObject({ status: 0, stderr: '' })
    place.signal('SIGSTOP')
    expect(health()).toMatchObject({ status: 1, stderr: expect.stringMatching(/^error: /) as string })
    place.signal('SIGCONT')
    expect(health()).toMatchObject({ status: 0, stderr: '' })
  })

  test('ends in good order when it is asked to', async () => {
    expect(instruction('STOPSIGNAL')).toBe('SIGTERM')
    expect(await place.first.end()).toBe(0)
  })
})
