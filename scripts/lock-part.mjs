// The part of the lock file that a build needs. A start from a clone installs that alone, which is half of it all.

/** What only checks, tests and benchmarks need. */
const forChecks = [
  '@lydell/node-pty',
  '@vitest/coverage-v8',
  'axe-core',
  'fast-check',
  'knip',
  'oxlint',
  'oxlint-tsgolint',
  'playwright-core',
  'prettier',
  'tsx',
  'vitest',
]

/** Whether an install, as npm writes it down in node_modules, has more than a build needs. */
export function hasChecks({ packages }) {
  return forChecks.some((name) => packages[`node_modules/${name}`] !== undefined)
}

/** A lock file for a package that depends on what a build needs. */
export function lockForBuild(lock) {
  const { dependencies, devDependencies, ...top } = lock.packages['']
  const all = Object.entries({ ...dependencies, ...devDependencies })
  const needed = Object.fromEntries(all.filter(([name]) => !forChecks.includes(name)))
  const packages = { '': { ...top, dependencies: needed } }
  addNeeded(packages, lock.packages, '', Object.keys(needed))
  return { ...lock, packages }
}

function addNeeded(found, packages, from, names) {
  for (const name of names) {
    const path = placeOf(packages, from, name)
    if (path === undefined || found[path] !== undefined) continue
    const { dev: _, devOptional, ...entry } = packages[path]
    found[path] = devOptional ? { ...entry, optional: true } : entry
    const { dependencies, optionalDependencies, peerDependencies } = entry
    addNeeded(
      found,
      packages,
      path,
      Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }),
    )
  }
}

/** Where Node finds a package that one in `from` imports: in its own folder first, in that of the root last. */
function placeOf(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (packages[path] !== undefined) return path
    if (folder === '') return undefined
  }
}
