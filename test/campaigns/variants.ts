// Makes the trackers that campaigns run besides the real one: one that kills itself at a named moment, and some broken
// on purpose, which a campaign has to catch. These are made of copies of the sources with a few words replaced; the
// program itself contains none of this.

import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Moment } from '../../src/tracker/moments.ts'
import type { TrackerProgram } from './tracker-process.ts'

/** A file of the sources, words in it, and their replacement. */
type Edit = readonly [file: string, words: RegExp, instead: string]

export interface Variant {
  readonly edits: readonly Edit[]
  /** Whether a kill is a power failure: what was not flushed is gone. */
  readonly losesPower?: true
  /** What the campaign has to find. */
  readonly finds: 'nothing' | 'lost' | 'twice'
  /** Where few random kills would show it: the moments that do, and how often newcomers have to come and go. */
  readonly at?: readonly Moment[]
  readonly newcomersWeight?: number
}

interface Places {
  readonly from: string
  readonly to: string
  readonly extension: string
  readonly external: readonly string[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const { bundleProgram } = (await import(new URL('../../scripts/bundles.mjs', import.meta.url).href)) as {
  bundleProgram: (places: Places, name: string) => Promise<unknown>
}
const inside = (name: string): string => fileURLToPath(new URL(`inside/${name}`, import.meta.url))

const keepDiskImage: Edit = [
  'tracker/log/sqlite-file.ts',
  /'\.\/sqlite-engine\.ts'/,
  JSON.stringify(pathToFileURL(inside('power-failure.mjs')).href),
]

/** Turns off the check by which a tracker notices a loss at its next start: the campaign has to find it. */
const believesItsLog: Edit = ['tracker/high-water-mark.ts', /position >= this\.#before/, 'true']

export const variants = {
  /** Not broken. */
  'power-failure': { edits: [keepDiskImage], losesPower: true, finds: 'nothing' },
  'not-flushed': {
    edits: [
      keepDiskImage,
      ['tracker/log/sqlite-file.ts', /PRAGMA synchronous = FULL/g, 'PRAGMA synchronous = OFF'],
      believesItsLog,
    ],
    losesPower: true,
    finds: 'lost',
  },
  'reply-before-commit': {
    edits: [
      [
        'tracker/log/sqlite-log.ts',
        /^export class SqliteLog( implements CommandLog {\n[^]*?\n)}$/m,
        `import { deliveringBeforeCommit } from ${JSON.stringify(pathToFileURL(inside('early-log.mjs')).href)}
export const SqliteLog = deliveringBeforeCommit(class SqliteLog$1})`,
      ],
      believesItsLog,
    ],
    finds: 'lost',
  },
  'forgets-outcomes': {
    edits: [['tracker/state/remembered.ts', /account\.remembered = all\.slice\(.*\)$/m, '']],
    finds: 'twice',
  },
  'forgets-deletions': {
    edits: [['tracker/state/leaving.ts', /remember\(state\.departures, .*\)$/m, '']],
    finds: 'twice',
    at: ['after commit'],
    newcomersWeight: 12,
  },
} as const satisfies Record<string, Variant>

export type VariantName = keyof typeof variants

export function isVariant(name: string): name is VariantName {
  return Object.hasOwn(variants, name)
}

/** Makes the program of a variant in `folder`. */
export async function variantProgram(name: VariantName, folder: string): Promise<TrackerProgram> {
  const { edits, ...variant }: Variant = variants[name]
  const program = await editedProgram(folder, edits)
  return variant.losesPower === true ? losingPower(program, folder) : program
}

/** Snapshots every few hundred commands, so that a campaign meets many. */
export function snapshottingProgram(folder: string): Promise<TrackerProgram> {
  return editedProgram(folder, [
    ['tracker/limits.ts', /commandsPerSnapshot = [\d_]+/, 'commandsPerSnapshot = 300'],
    ['tracker/limits.ts', /entriesKeptBehindSnapshot = [\d_]+/, 'entriesKeptBehindSnapshot = 100'],
  ])
}

/** The same program, which kills itself when it reaches the moment for the n-th time. */
export function killedAt(program: TrackerProgram, moment: string, count: number): TrackerProgram {
  return {
    ...program,
    node: ['--import', inside('kill-at.mjs'), ...program.node],
    env: { ...program.env, COTERIE_KILL_AT: `${count} ${moment}` },
  }
}

function losingPower(program: TrackerProgram, folder: string): TrackerProgram {
  const disk = join(folder, 'disk')
  mkdirSync(disk, { recursive: true })
  return {
    ...program,
    env: { COTERIE_DISK_IMAGE: disk },
    afterKill: (dataFolder) => {
      const image = readFileSync(join(disk, 'image'), 'utf8')
      for (const tail of ['', '-wal', '-shm']) {
        const [kept, file] = [join(image, `log.sqlite${tail}`), join(dataFolder, `log.sqlite${tail}`)]
        if (existsSync(kept)) copyFileSync(kept, file)
        else rmSync(file, { force: true })
      }
    },
  }
}

async function editedProgram(folder: string, edits: readonly Edit[]): Promise<TrackerProgram> {
  const program = join(folder, 'program')
  const sources = join(program, 'src')
  for (const part of ['tracker', 'common'])
    cpSync(join(root, 'src', part), join(sources, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(program, 'node_modules'))
  for (const [file, words, instead] of edits) {
    const path = join(sources, file)
    const text = readFileSync(path, 'utf8')
    const edited = text.replace(words, instead)
    // The sources have changed: without this check, a campaign would find nothing wrong with an unedited copy.
    if (edited === text) throw new Error(`${file} has no words like ${String(words)}`)
    writeFileSync(path, edited)
  }
  const built = join(program, 'dist')
  // As the build does, and what is outside of the copy stays there.
  const external = ['@photostructure/sqlite', 'file:*']
  await bundleProgram({ from: sources, to: built, extension: '.ts', external }, 'tracker')
  return { node: [join(built, 'tracker', 'main.js')] }
}
