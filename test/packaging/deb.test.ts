// The Debian package as it is built, without installing it; `npm run check:deb` does that.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { version } from '../../src/common/version.ts'
import { complaintsAbout, noAnalyze } from '../deploy/verified-unit.ts'
import { linksToNothing } from '../style/document-links.ts'
import { buildPackage, dpkgDeb, noPackaging } from './built-package.ts'

describe.skipIf(noPackaging !== '')(`the Debian package${noPackaging}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-test-'))
  const unpacked = join(folder, 'unpacked')
  let file = ''

  beforeAll(() => {
    file = buildPackage(['--out', join(folder, 'one'), '--compression', 'none'])
    dpkgDeb('-R', file, unpacked)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const textOf = (path: string): string => readFileSync(join(unpacked, path), 'utf8')

  test('has the version of the programs, and depends only on what every Debian has', () => {
    expect(dpkgDeb('-f', file, 'Package', 'Version')).toBe(
      `Package: coterie\nVersion: ${version.replace('-', '~')}-1\n`,
    )
    const names = dpkgDeb('-f', file, 'Depends')
      .trim()
      .split(', ')
      .map((each) => each.replace(/ .*/, ''))
    expect(names).toEqual(['adduser', 'libc6', 'libgcc-s1', 'libstdc++6'])
    // A program of more than this has something in it that only builds need.
    expect(statSync(file).size).toBeLessThan(130 * 2 ** 20)
  })

  test('is the same, byte by byte, when it is built again', () => {
    const again = buildPackage(['--out', join(folder, 'two'), '--compression', 'none'])
    const hashes = [file, again].map((path) => createHash('sha256').update(readFileSync(path)).digest('hex'))
    expect(hashes[1]).toBe(hashes[0])
  })

  test('has both commands, both units, manual pages, completions, and what people may do with it', () => {
    for (const path of [
      'usr/bin/coterie',
      'usr/bin/coterie-tracker',
      'usr/lib/systemd/system/coterie-tracker@.service',
      'usr/lib/systemd/user/coterie-client.service',
      'usr/share/man/man1/coterie.1.gz',
      'usr/share/man/man1/coterie-tracker.1.gz',
      'usr/share/bash-completion/completions/coterie',
      'usr/share/bash-completion/completions/coterie-tracker',
      'usr/share/zsh/vendor-completions/_coterie',
      'usr/share/fish/vendor_completions.d/coterie.fish',
      'usr/share/doc/coterie/copyright',
      'usr/share/doc/coterie/node-license.txt.gz',
      'usr/share/doc/coterie/docs/operations.md',
      'usr/share/doc/coterie/examples/grafana/coterie.json',
    ])
      expect([path, statSync(join(unpacked, path)).size > 100]).toEqual([path, true])
    expect(textOf('usr/share/doc/coterie/copyright')).toContain('Permission is hereby granted')
    const licenses = gunzipSync(
      readFileSync(join(unpacked, 'usr/share/doc/coterie/third-party.txt.gz')),
    ).toString()
    for (const name of ['commander', 'preact', '@nats-io/jetstream', '@photostructure/sqlite'])
      expect(licenses).toContain(`\n${name}`)
  })

  test('has documents that lead to what is in it, but for the pictures of the page', () => {
    const nowhere = linksToNothing(join(unpacked, 'usr/share/doc/coterie'), unpacked)
    expect(nowhere.filter((each) => !/^docs\/page\.md: page\/.*\.webp$/.test(each))).toEqual([])
  })

  test('runs its own programs by its own Node, as its own user, with the settings that it has', () => {
    const unit = textOf('usr/lib/systemd/system/coterie-tracker@.service')
    expect(unit).not.toContain('/opt/')
    expect(unit).toMatch(/^ExecStart=\/usr\/bin\/coterie-tracker \/etc\/coterie\/tracker_info\.txt %i /m)
    expect(unit).toMatch(/^User=coterie$/m)
    // With it, systemd would keep the data elsewhere, and take the user for its own.
    expect(unit).not.toContain('DynamicUser')
    expect(textOf('usr/lib/systemd/user/coterie-client.service')).toMatch(/^ExecStart=\/usr\/bin\/coterie /m)
    expect(textOf('DEBIAN/conffiles')).toBe('/etc/coterie/tracker_info.txt\n/etc/coterie/tracker-1.env\n')
    expect(textOf('usr/bin/coterie')).not.toMatch(/@[A-Z]+@/)
  })

  test.skipIf(noAnalyze !== '')(`has units of which systemd understands every line${noAnalyze}`, () => {
    const units = [
      [
        'coterie-tracker@1.service',
        'usr/lib/systemd/system/coterie-tracker@.service',
        '/usr/bin/coterie-tracker',
      ],
      ['coterie-client.service', 'usr/lib/systemd/user/coterie-client.service', '/usr/bin/coterie'],
    ] as const
    for (const [name, unit, program] of units)
      expect(complaintsAbout(name, textOf(unit), [program, join(unpacked, program)])).toEqual([])
  })

  test('is refused for a Node that is none, in a sentence', () => {
    expect(() => buildPackage(['--out', folder, '--node', '/bin/true'])).toThrow(
      /error: \/bin\/true is no Node\.js$/,
    )
  })

  test('has the sums of all its files, and only scripts that the shell understands', () => {
    for (const line of textOf('DEBIAN/md5sums').trim().split('\n')) {
      const [sum, path = ''] = line.split('  ')
      const found = createHash('md5')
        .update(readFileSync(join(unpacked, path)))
        .digest('hex')
      expect([path, found]).toEqual([path, sum])
    }
    for (const name of ['DEBIAN/postinst', 'DEBIAN/prerm', 'DEBIAN/postrm', 'usr/bin/coterie']) {
      const { status, stderr } = spawnSync('sh', ['-n', join(unpacked, name)], { encoding: 'utf8' })
      expect([name, status, stderr]).toEqual([name, 0, ''])
    }
  })
})
