// Holds the shape of the sources: what is pure stays pure, names say something, nothing lies around.
// What may import what is in imports.test.ts; lengths and process.exit are lint's (.oxlintrc.json).

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { codeOf, filesUnder, importedBy, resolveFrom, root, sources, textOf } from './sources.ts'

/**
 * Pure sources: same input, same output. No I/O, no clock, no randomness, and they import pure sources
 * only. A name that ends in a slash is a whole folder. To make a file or folder pure, add it here.
 */
const pure = [
  'src/common/bitfield.ts',
  'src/common/counted.ts',
  'src/common/escape.ts',
  'src/common/joining.ts',
  'src/common/unseen.ts',
  'src/common/failure.ts',
  'src/common/limits.ts',
  'src/common/manifest.ts',
  'src/common/names.ts',
  'src/common/networks.ts',
  'src/common/node-version.ts',
  'src/common/pieces.ts',
  'src/common/protocol/',
  'src/common/recipe/',
  'src/common/rates.ts',
  'src/common/refusal.ts',
  'src/common/sizes.ts',
  'src/common/terminal/graphemes.ts',
  'src/common/terminal/width.ts',
  'src/common/version.ts',
  'src/common/wire/frames.ts',
  'src/common/wire/messages.ts',
  'src/common/wire/methods.ts',
  'src/common/wire/places.ts',
  'src/common/wire/seats.ts',
  'src/common/wire/turns.ts',
  'src/client/event-sentence.ts',
  'src/client/guest-wish.ts',
  'src/client/way.ts',
  'src/client/diagnosis/',
  'src/client/downloading/asking.ts',
  'src/client/downloading/offered.ts',
  'src/client/downloading/picker.ts',
  'src/client/downloading/special-pieces.ts',
  'src/client/downloading/wishes.ts',
  'src/client/downloading/yielding.ts',
  'src/client/actions/progress.ts',
  'src/client/downloading/piece-map.ts',
  'src/client/prompt/text/amounts.ts',
  'src/client/prompt/text/durations.ts',
  'src/client/prompt/text/hours.ts',
  'src/client/prompt/text/links.ts',
  'src/client/prompt/text/words.ts',
  'src/client/sharing/piece-demand.ts',
  'src/client/sharing/limits.ts',
  'src/client/sharing/round-trip.ts',
  'src/client/sharing/turns-ahead.ts',
  'src/client/sharing/upload-order.ts',
  'src/tracker/state/',
  'src/web/page/event-words.ts',
  'src/web/page/limit-form.ts',
  'src/web/page/looks.ts',
  'src/web/page/routes.ts',
  'src/web/page/places-of-rows.ts',
  'src/web/page/rows-in-sight.ts',
  'src/web/page/sorting.ts',
  'src/web/page/state.ts',
]

/** Modules that a pure source may use, besides pure sources. Of node:crypto hashing only, see `impure`. */
const pureModules = ['node:crypto', 'node:module', 'sorted-btree', 'valibot']

/** What would make the same input give another output, or reach outside. */
const impure = [
  /\bDate\b/,
  /\bMath\.random\b/,
  /\bperformance\b/,
  /\bprocess\b/,
  /\bset(Timeout|Interval|Immediate)\b/,
  /\bqueueMicrotask\b/,
  /\bfetch\(/,
  /\brandom(Bytes|UUID|Int|FillSync)\b/,
  /\bgenerateKey/,
  /\bimport\(/,
]

/** Names under which anything could be kept. `src/common`, what both programs speak, is the one exception. */
const namelessNames = /^(utils?|helpers?|misc|common|managers?|index|shared|stuff|tools?)$/

const pureSources = sources.filter((file) =>
  pure.some((name) => (name.endsWith('/') ? file.startsWith(name) : file === name)),
)

test('every entry of the list of pure sources exists', () => {
  expect(pure.filter((name) => !existsSync(join(root, name)))).toEqual([])
})

test('pure sources use no clock, no randomness and no timers', () => {
  const found = pureSources.flatMap((file) =>
    impure.filter((pattern) => pattern.test(codeOf(file))).map((pattern) => `${file}: ${String(pattern)}`),
  )
  expect(found).toEqual([])
})

test('pure sources import pure sources, and modules without I/O', () => {
  const found = pureSources.flatMap((file) =>
    importsOf(file)
      .filter((name) =>
        name.startsWith('.') ? !pureSources.includes(resolveFrom(file, name)) : !pureModules.includes(name),
      )
      .map((name) => `${file} imports ${name}`),
  )
  expect(found).toEqual([])
})

test('every source can be reached from one of the programs', () => {
  const reached = new Set<string>()
  const visit = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const imported of importedBy(file)) visit(imported)
  }
  for (const file of sources)
    if (/^src\/(([^/]+|web\/page)\/main|client\/program)\.ts$/.test(file)) visit(file)
  expect(sources.filter((file) => !reached.has(file))).toEqual([])
})

test('files and folders have names that say what they own, in kebab-case', () => {
  const found = sources.filter((file) =>
    file
      .replace(/^src\/common\//, 'src/')
      .replace(/\.ts$/, '')
      .split('/')
      .some((name) => namelessNames.test(name) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)),
  )
  expect(found).toEqual([])
})

test('every source begins by saying what it owns', () => {
  expect(sources.filter((file) => !/^(\/\/|\/\*\*)/.test(textOf(file)))).toEqual([])
})

test('tests do not sleep and use no fixed ports', () => {
  // A campaign is no test: its clients wait before they try a tracker again, as clients do.
  const tests = filesUnder('test').filter(
    (file) => !file.startsWith('test/campaigns/') || file.endsWith('.test.ts'),
  )
  const found = tests.filter((file) => {
    const code = codeOf(file)
    return (
      /set(Timeout)\((resolve|done|r)\b/.test(code) ||
      /timers\/(promises)/.test(code) ||
      /\.listen\([1-9]/.test(code)
    )
  })
  expect(found).toEqual([])
})

test('the lock file names no registry and no folder of the machine that made it', () => {
  const lock = JSON.parse(textOf('package-lock.json')) as { packages: Record<string, object> }
  expect(Object.entries(lock.packages).filter(([, entry]) => 'resolved' in entry)).toEqual([])
})

/** What a source imports, types aside: those are gone when it runs. */
function importsOf(file: string): string[] {
  const statements = codeOf(file).matchAll(
    /^(?:import|export)\s+(?!type\b)(?:[\w*{}\s,$]+?\sfrom\s+)?['"]([^'"]+)['"]/gm,
  )
  return [...statements].map((match) => match[1] ?? '')
}

// The files of a process share what they import, and a module that one replaced would fail another.
test('a test that replaces modules is called apart, and no other', () => {
  const tests = filesUnder('test').filter((file) => file.endsWith('.test.ts'))
  const replacing = tests.filter((file) => /^vi\.(mock|doMock)\(/m.test(textOf(file)))
  expect(replacing).toEqual(tests.filter((file) => file.endsWith('.apart.test.ts')))
})
