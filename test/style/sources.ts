// Reads the sources as texts, for the tests that hold their shape. A source is named by its path from the root
// of the repository, with slashes: `src/common/names.ts`.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The TypeScript files in a folder of the repository and below it, sorted. */
export function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .toSorted()
}

/** Everything that the programs are made of. */
export const sources: readonly string[] = filesUnder('src')

export function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** The source without its comments. */
export function codeOf(file: string): string {
  return textOf(file)
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(^|[^:'])\/\/.*$/gm, '$1')
}

/** The other sources that this one imports, for types alone too, each once. */
export function importedBy(file: string): string[] {
  const names = [...codeOf(file).matchAll(/['"](\.{1,2}\/[^'"]+\.ts)['"]/g)].map((match) => match[1] ?? '')
  return [...new Set(names.map((name) => resolveFrom(file, name)))].filter((name) => sources.includes(name))
}

/** The source that `name`, a relative path in an import of `file`, stands for. */
export function resolveFrom(file: string, name: string): string {
  return normalize(join(dirname(file), name)).replaceAll('\\', '/')
}
