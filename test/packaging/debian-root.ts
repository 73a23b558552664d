// A Debian with nothing but its base, in a folder: made by mmdebstrap from the mirror that apt has here.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where dpkg and the tools for users keep accounts of what they did; they keep them after a purge too. */
const bookkeeping =
  /^\/(var\/(lib\/(dpkg|apt|systemd)|log|cache|tmp)|proc|sys|dev|run|tmp|etc\/(passwd|shadow|group|gshadow)-$|etc\/\.pwd\.lock$)/

/** What a Debian has that boots; without what is only recommended, it is the least that people have. */
const bootable = ['systemd', 'systemd-sysv', 'dbus', 'libpam-systemd']

/**
 * Makes the folder. `from`: the name of a release, or a tarball that mmdebstrap made with these packages. `packages`: what is
 * there beside the base. Throws with what mmdebstrap said, and where no mirror is known.
 */
export function makeDebian(folder: string, from: string, packages: readonly string[]): void {
  if (from.endsWith('.tar')) {
    mkdirSync(folder)
    run('tar', ['-xpf', from, '--numeric-owner', '-C', folder])
    return
  }
  const mirror = mirrorOf(from)
  if (mirror === undefined) throw new Error(`apt knows no mirror that has Debian's ${from}`)
  const options = ['--quiet', '--variant=minbase', `--include=${packages.join()}`, ...settingsOfApt()]
  // What boots is there as packages, for makeBootable: the root has no network, and must not have more than its base yet.
  const later = `apt-get --yes --download-only --no-install-recommends install ${bootable.join(' ')}`
  const hook = `--customize-hook=APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" ${later}`
  run('mmdebstrap', [...options, hook, '--skip=cleanup/apt', from, folder, mirror])
}

/** Installs what the root needs to boot; the words of apt-get, to be run in it. */
export const makesBootable = ['apt-get', '--yes', '--no-install-recommends', 'install', ...bootable]

/** Why no Debian can be made here, in a word; undefined where it can. */
export function whyNoDebian(release: string): string | undefined {
  if (spawnSync('mmdebstrap', ['--version']).status !== 0) return 'needs mmdebstrap'
  return mirrorOf(release) === undefined
    ? `needs a mirror of Debian's ${release}, of which apt knows`
    : undefined
}

/** The mirror that apt uses on this machine, if it has this release and can be reached. */
function mirrorOf(release: string): string | undefined {
  const format = '$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)'
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    encoding: 'utf8',
  })
  const mirrors = [...(stdout ?? '').matchAll(/^Debian Debian main (\S+)$/gm)].map(
    ([, address = '']) => address,
  )
  const folder = mkdtempSync(join(tmpdir(), 'coterie-mirror-'))
  try {
    return [...new Set(mirrors)].find((address) => {
      const words = ['download-file', `${address}dists/${release}/InRelease`, join(folder, 'InRelease')]
      return spawnSync('/usr/lib/apt/apt-helper', words, { timeout: 20_000 }).status === 0
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** How apt reaches its mirrors here, for mmdebstrap, which has settings of its own. */
function settingsOfApt(): string[] {
  const names = ['http::Proxy', 'https::Proxy', 'Check-Valid-Until', 'Check-Date']
  const words = names.map((name) => `Acquire::${name}`)
  const { stdout } = spawnSync('apt-config', ['dump', '--format', '%F "%v";%n', ...words], {
    encoding: 'utf8',
  })
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith('"";'))
    .map((line) => `--aptopt=${line}`)
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
