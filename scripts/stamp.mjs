// The stamp of a build: a text with the size and time of every source and build script, kept beside the build. An equal
// text means a fresh build. A plain "newer than" would miss a deleted source, and one that git restored with an older
// time.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Why a program cannot start, as one sentence for a person, shown without a stack. */
export class Problem extends Error {
  name = 'Problem'
}

export function sourceStamp() {
  const lines = ['tsconfig.json', 'scripts/bundle.mjs', 'scripts/bundles.mjs', 'scripts/native.mjs'].map(
    lineOf,
  )
  addFolder('src', lines)
  return lines.join('\n')
}

export function isBuildFresh() {
  return textOf(join(root, 'dist', '.stamp')) === sourceStamp()
}

/** npm writes its hidden lock file last: if it is not older than ours, the install is complete and fresh. */
export function isInstallNewer() {
  const installed = timeOf(join(root, 'node_modules', '.package-lock.json'))
  return installed !== undefined && installed >= (timeOf(join(root, 'package-lock.json')) ?? 0)
}

export function textOf(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function addFolder(folder, lines) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) addFolder(path, lines)
    else if (/\.(ts|c|h|css|html|svg)$/.test(entry.name)) lines.push(lineOf(path))
  }
}

function lineOf(path) {
  const { size, mtimeMs } = statSync(join(root, path))
  return `${path} ${size} ${mtimeMs}`
}

function timeOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}
