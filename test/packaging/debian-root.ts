// A Debian with nothing but its base, in a folder: made by mmdebstrap from Debian's mirror.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Where dpkg and the tools for users keep accounts of what they did; they keep them after a purge too. */
const bookkeeping =
  /^\/(var\/(lib\/(dpkg|apt|systemd)|log|cache)|proc|sys|dev|run|tmp|etc\/(passwd|shadow|group|gshadow)-$|etc\/\.pwd\.lock$)/

/**
 * Makes the folder. `from`: the name of a release, or a tarball that mmdebstrap made with these packages. `packages`: what is
 * there beside the base. Throws with what mmdebstrap said.
 */
export function makeDebian(folder: string, from: string, packages: readonly string[]): void {
  if (from.endsWith('.tar')) {
    mkdirSync(folder)
    run('tar', ['-xpf', from, '--numeric-owner', '-C', folder])
  } else run('mmdebstrap', ['--quiet', '--variant=minbase', `--include=${packages.join()}`, from, folder])
}

function run(command: string, words: readonly string[]): void {
  const ran = spawnSync(command, words, { encoding: 'utf8' })
  if (ran.error !== undefined) throw new Error(`${command} is missing: apt-get install ${command}`)
  if (ran.status !== 0) throw new Error(`${command} failed: ${ran.stderr.trim()}`)
}

/** Every file, with what tells whether it is the same: mode, owner and content. */
export function filesOf(root: string): Map<string, string> {
  const files = new Map<string, string>()
  const visit = (folder: string): void => {
    for (const name of readdirSync(join(root, folder))) {
      const path = `${folder}/${name}`
      if (bookkeeping.test(path)) continue
      const stats = lstatSync(join(root, path))
      const content = stats.isSymbolicLink()
        ? readlinkSync(join(root, path))
        : stats.isFile()
          ? createHash('sha1')
              .update(readFileSync(join(root, path)))
              .digest('hex')
          : 'no file'
      files.set(path, `${stats.mode.toString(8)} ${stats.uid}:${stats.gid} ${content}`)
      if (stats.isDirectory()) visit(path)
    }
  }
  visit('')
  return files
}

/** What came, went and changed between the two. */
export function differences(before: Map<string, string>, after: Map<string, string>): string[] {
  const came = [...after.keys()].filter((path) => !before.has(path)).map((path) => `came: ${path}`)
  const others = [...before].flatMap(([path, was]) => {
    const is = after.get(path)
    return is === was ? [] : [is === undefined ? `went: ${path}` : `changed: ${path}`]
  })
  return [...came, ...others].toSorted()
}
