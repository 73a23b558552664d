// The npm package, as whoever installs it has it: installed into an empty folder, without scripts, without a compiler and with
// no network but the registry; then run with loopback alone.

import { execFile, execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { version } from '../../src/common/version.ts'
import { Program } from '../integration/programs.ts'
import { isSame, MiB } from '../integration/world.ts'
import { Namespaces, whyNoNamespaces } from '../namespaces.ts'
import { linksToNothing } from '../style/document-links.ts'
import { RegistryOnly, wayToRegistry } from './registry-only.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'coterie-installed-'))
const installed = join(folder, 'empty', 'node_modules', 'coterie')
const tarball = join(folder, `coterie-${version}.tgz`)
/** What `npm run check:reproducible` prints. */
let said = ''

const registry = spawnSync('npm', ['ping', '--fetch-retries=0'], { timeout: 10_000 }).status === 0
const skipped = registry ? '' : ' (skipped: no npm registry can be reached)'
/** Without namespaces all the rest is tried with the network that there is. */
const whyNotCutOff = whyNoNamespaces()
const notCutOff = whyNotCutOff === undefined ? '' : ` (skipped: cut off from the network, ${whyNotCutOff})`

beforeAll(() => {
  said = execFileSync(process.execPath, [join(root, 'scripts', 'reproduce.mjs'), folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}, 240_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A folder with these programs of this machine, and no others. */
function onlyWith(...names: readonly string[]): string {
  const bin = join(folder, `bin-${names.join('-')}`)
  if (existsSync(bin)) return bin
  mkdirSync(bin)
  for (const name of names) {
    const places = (process.env['PATH'] ?? '').split(delimiter).map((place) => join(place, name))
    const place = name === 'node' ? process.execPath : places.find((each) => existsSync(each))
    if (place !== undefined) symlinkSync(place, join(bin, name))
  }
  return bin
}

test('the package has the same bytes, in whichever folder it is made', () => {
  expect(said).toMatch(/^twice the same bytes: coterie-\S+\.tgz, \d+ bytes, sha256 [0-9a-f]{64}\n$/)
})

describe.skipIf(!registry)(`installed${skipped}`, () => {
  let size = 0
  let machine: RegistryOnly | undefined
  const spaces = new Namespaces()

  /** Puts a command there with this environment alone; where nothing can be cut off, it is run as it is. */
  function inside(at: readonly string[], env: Record<string, string>, ...words: readonly string[]): string[] {
    const only = ['/usr/bin/env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
    return [...at, ...only, ...words]
  }
  const run = async ([command = '', ...words]: readonly string[], cwd = folder): Promise<string> =>
    (await promisify(execFile)(command, words, { cwd })).stdout
  const withNpm = (...words: readonly string[]): string[] => {
    const env = { PATH: onlyWith('node', 'npm', 'sh', 'env'), HOME: join(folder, 'home'), ...machine?.env }
    return inside(machine?.at ?? [], env, ...words)
  }

  beforeAll(async () => {
    const way = wayToRegistry()
    if (whyNotCutOff === undefined) {
      machine = await RegistryOnly.open(folder, way)
      spaces.add('job')
    }
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    writeFileSync(join(empty, 'package.json'), '{}')
    const words = ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball]
    await run(withNpm('npm', ...words), empty)
    size = filesIn(join(empty, 'node_modules')).reduce((sum, path) => sum + statSync(path).size, 0)
  }, 120_000)
  afterAll(() => {
    machine?.close()
    spaces.close()
  })

  test.skipIf(whyNotCutOff !== undefined)(
    `nobody was asked for it but the registry${notCutOff}`,
    async () => {
      expect(machine?.refused).toEqual([])
      expect(machine?.letThrough).toBeGreaterThan(0)
      // Nobody else would have answered: neither by the proxy nor without it.
      const elsewhere = ['--registry=https://elsewhere.invalid/', '--fetch-retries=0']
      await expect(run(withNpm('npm', 'ping', ...elsewhere))).rejects.toThrow('403')
      expect(machine?.refused).toEqual(['elsewhere.invalid:443'])
      const direct = `fetch('${wayToRegistry().registry.href}').then(() => console.log('reached'), () => console.log('no way'))`
      expect(await run(withNpm('node', '-e', direct))).toBe('no way\n')
    },
  )

  test('it is four packages, and its own part is small', () => {
    const lock = JSON.parse(readFileSync(join(folder, 'empty', 'package-lock.json'), 'utf8'))
    const packages = Object.keys(lock.packages).filter((path) => path !== '')
    const own = filesIn(installed).reduce((sum, path) => sum + statSync(path).size, 0)
    const inMiB = (bytes: number): string => `${(bytes / MiB).toFixed(1)} MiB`
    process.stdout.write(
      `the npm package: ${inMiB(statSync(tarball).size)} to fetch, ${inMiB(own)} on disk; ` +
        `with SQLite ${packages.length} packages, ${inMiB(size)}\n`,
    )
    expect(packages.map((path) => path.replace('node_modules/', '')).toSorted()).toEqual([
      '@photostructure/sqlite',
      'coterie',
      'node-addon-api',
      'node-gyp-build',
    ])
    expect(own).toBeLessThan(6 * MiB)
  })

  test('installed for all users of a machine, it has both commands and their manual pages', async () => {
    const prefix = join(folder, 'global')
    const words = ['--global', `--prefix=${prefix}`, '--ignore-scripts', '--no-audit', '--no-fund']
    await run(withNpm('npm', 'install', ...words, tarball))
    expect(readdirSync(join(prefix, 'bin')).toSorted()).toEqual(['coterie', 'coterie-tracker'])
    const pages = readdirSync(join(prefix, 'share', 'man', 'man1')).toSorted()
    expect(pages).toEqual(['coterie-tracker.1', 'coterie.1'])
  })

  test('it runs no script when it is installed, and has nothing that only a build needs', () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
    expect(Object.keys(manifest.scripts).filter((name) => /install|^prepare$/.test(name))).toEqual([])
    const names = filesIn(installed).map((path) => path.slice(installed.length + 1))
    expect(names.filter((name) => /(?<!\.d)\.ts$|\.map$|^(src|test|bench)\//.test(name))).toEqual([])
    for (const name of Object.values<string>(manifest.bin)) expect(names).toContain(name)
    expect(names).toContain('docs/library.md')
  })

  test('its documents lead to what is in it, but for the pictures of the page', () => {
    expect(
      linksToNothing(installed).filter((each) => !/^docs\/page\.md: page\/.*\.webp$/.test(each)),
    ).toEqual([])
    // Whoever packs may have made the secrets of their own servers there.
    expect(filesIn(join(installed, 'deploy')).filter((path) => path.includes('secrets'))).toEqual([
      join(installed, 'deploy', 'nats', 'make-secrets.sh'),
    ])
  })

  test('nothing in it tells where it was made, and its list of parts is that of its bundles', () => {
    const texts = filesIn(installed).map((path) => [path, readFileSync(path, 'latin1')] as const)
    // In its comments esbuild names files from the folder that it works in.
    const telling = (text: string): boolean =>
      text.includes(root) || text.includes(join(tmpdir(), 'coterie-')) || /^\/\/ \.\.\//m.test(text)
    expect(texts.filter(([, text]) => telling(text)).map(([path]) => path)).toEqual([])
    const bill = JSON.parse(readFileSync(join(installed, 'lib', 'sbom.json'), 'utf8'))
    const names = bill.components.map((each: { name: string }) => each.name)
    for (const name of ['hono', 'pino', 'valibot', '@photostructure/sqlite', 'node-gyp-build'])
      expect(names).toContain(name)
    for (const name of ['typescript', 'esbuild', 'vitest', '@types/node']) expect(names).not.toContain(name)
    expect(bill.metadata.component).toMatchObject({ name: 'coterie', version })
    const licenses = readFileSync(join(installed, 'lib', 'LICENSES.txt'), 'utf8')
    expect(/^pino \d[^\n]*, MIT\n\nThe MIT License/m.test(licenses)).toBe(true)
  })

  test('its types need no package, and say what is wrong', () => {
    const use = join(folder, 'empty', 'use.mts')
    writeFileSync(
      use,
      `import { connect, Failure, type ClientEvent, type Connection, type FileEntry } from 'coterie'
const client: Connection = await connect({ listen: '127.0.0.1:4444' })
const files = await client.listFiles('family')
const names: string[] = files.ok ? files.value.map((file: FileEntry) => file.name) : [files.refusal.code]
for await (const event of client.events()) {
  const each: ClientEvent = event
  if (each.kind === 'download-failed') names.push(each.why)
}
export const failed: boolean = new Failure('start', 'no').code === 'start'
// @ts-expect-error: A refusal has no value.
export const value: FileEntry[] = files.value
// @ts-expect-error: There is no such operation.
await client.formatDisk()
`,
    )
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022']
    const typescript = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const words = [typescript, ...options, '--ignoreConfig', '--types', '', use]
    const run = spawnSync(process.execPath, words, { cwd: join(folder, 'empty'), encoding: 'utf8' })
    expect(run.stdout).toBe('')
  })

  test('a tracker and two clients do their job, one of them without a compiler; the page and the example of the library do theirs', async () => {
    const bare = onlyWith('node', 'sh', 'env', 'readlink')
    // On a machine of its own, which has loopback alone.
    const job = whyNotCutOff === undefined ? spaces.at('job') : []
    const programs: Program[] = []
    const start = (name: string, command: string, words: readonly string[], PATH = bare): Program => {
      const main = join(folder, 'empty', 'node_modules', '.bin', command)
      const [cwd, home] = [folder, join(folder, name)]
      mkdirSync(home)
      const what = command === 'coterie' ? 'client' : 'tracker'
      const env = { PATH, XDG_CACHE_HOME: join(home, 'cache') }
      const through = ['/usr/bin/env', `PATH=${process.env['PATH']}`, ...job, '/usr/bin/env', `PATH=${PATH}`]
      const program = new Program(name, what, words, { cwd, home, main, through, env })
      programs.push(program)
      return program
    }
    try {
      const tracker = start('tracker', 'coterie-tracker', ['127.0.0.1', '0'])
      const port = (await tracker.until(/^tracker 1 listening on /)).split(':').at(-1) ?? ''
      const words = ['127.0.0.1', '0', '127.0.0.1', port]
      const ann = start('ann', 'coterie', words)
      const ben = start('ben', 'coterie', words, process.env['PATH'])
      for (const [name, client] of [
        ['ann', ann],
        ['ben', ben],
      ] as const)
        await client.does(`create_user ${name} correct-horse`, `login ${name} correct-horse`)
      await ann.does('create_group family')
      await ben.does('join_group family')
      await ann.until(/^ben asks to join family/)
      const path = join(folder, 'holiday.bin')
      writeFileSync(path, Buffer.alloc(3 * MiB + 5, 'holiday'))
      await ann.does('accept_request family ben', `upload_file ${path} family`)
      await ben.until('you are now a member of family')
      await ben.does(`download_file family holiday.bin ${join(folder, 'copy.bin')}`)
      await ben.until('[C] [family] holiday.bin')
      expect(isSame(path, join(folder, 'copy.bin'))).toBe(true)

      // Its files are in the package, beside the bundles.
      const look = 'fetch(process.argv[1]).then(async (page) => console.log(page.status, await page.text()))'
      const page = await run(inside(job, { PATH: bare }, 'node', '-e', look, await ben.say('show_page')))
      expect(page).toMatch(/^200 [^]*<script/)

      const example = join(folder, 'empty', 'fetch-new.mjs')
      copyFileSync(join(installed, 'docs', 'examples', 'fetch-new.mjs'), example)
      const small = join(folder, 'small.txt')
      writeFileSync(small, 'All is well.\n')
      await ann.does(`upload_file ${small} family`)
      const incoming = join(folder, 'incoming')
      mkdirSync(incoming)
      writeFileSync(join(incoming, 'holiday.bin'), 'here already')
      const env = { PATH: bare, HOME: join(folder, 'ben'), XDG_DATA_HOME: join(folder, 'ben', 'data') }
      const fetched = await run(inside(job, env, 'node', example, '127.0.0.1:0', 'family', incoming))
      expect(fetched).toBe('small.txt is complete: 13 bytes\n')
      expect(isSame(small, join(incoming, 'small.txt'))).toBe(true)
      expectCompiled(ben)
      for (const program of [ben, ann]) expect(await program.quit()).toMatchObject({ code: 0 })
    } finally {
      for (const { process: child } of programs) child.kill('SIGKILL')
    }
  }, 120_000)
})

/** Where there is a compiler, the client has compiled its parts in C once, into the cache folder of its user. */
function expectCompiled({ stderr }: Program): void {
  if (spawnSync('cc', ['--version']).error !== undefined) return
  expect(stderr).toBe('Compiling what makes transfers faster (once) …\n')
  const cache = join(folder, 'ben', 'cache', 'coterie')
  const [kind = ''] = readdirSync(cache)
  expect(kind).toMatch(new RegExp(`^compiled-${version.replaceAll('.', '\\.')}-\\w+-\\w+-node\\d+-openssl`))
  expect(readdirSync(join(cache, kind))).toContain('tls-session.node')
}

function filesIn(place: string): string[] {
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
