// What of other people is in the bundles: their licenses, which ask to be passed on, and the list of it all that whoever
// looks for known faults compares with (CycloneDX).

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem, root } from './stamp.mjs'

const byText = (one, other) => (one < other ? -1 : one > other ? 1 : 0)

/** The packages that these files are from, as folders seen from the root, in order. */
export function packagesOf(inputs) {
  const folders = inputs.map((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
  return [...new Set(folders)].filter((folder) => folder !== undefined).toSorted(byText)
}

/** Their licenses, as one text. */
export function licensesOf(packages) {
  const parts = packages.map((folder) => {
    const { name, version, license } = manifestOf(folder)
    const files = readdirSync(join(root, folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
    const texts = files.toSorted().map((file) => readFileSync(join(root, folder, file), 'utf8').trim())
    return [`${name} ${version}, ${license}`, ...texts].join('\n\n')
  })
  return ['Coterie contains parts of these packages.', ...parts].join(`\n\n${'-'.repeat(80)}\n\n`) + '\n'
}

/**
 * The bill of materials of npm, with what is bundled or installed with the package alone. It says neither when nor by
 * which npm it was made, so that the same sources have the same one.
 */
export function billOfMaterials(packages) {
  const bill = npmSbom()
  const main = bill.metadata.component
  const { dependencies: installed } = manifestOf('.')
  const bundled = new Set(packages.map((folder) => idOf(manifestOf(folder))))
  const needs = new Map(bill.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]))
  const outside = new Set(Object.entries(installed).map(([name, version]) => `${name}@${version}`))
  // It grows while it is gone through.
  for (const ref of outside) for (const needed of needs.get(ref) ?? []) outside.add(needed)
  const kept = new Set([...bundled, ...outside])

  const components = bill.components.filter((component) => kept.has(component['bom-ref']))
  const missing = [...kept].filter((ref) => !components.some((component) => component['bom-ref'] === ref))
  if (missing.length > 0) throw new Problem(`package-lock.json lacks ${missing.join(', ')}: npm ci`)
  for (const component of components)
    component.properties = [{ name: 'coterie:bundled', value: String(bundled.has(component['bom-ref'])) }]
  const only = (refs) => refs.filter((ref) => kept.has(ref)).toSorted()
  const content = {
    ...bill,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      tools: [{ vendor: 'npm', name: 'cli' }],
      component: { ...main, type: 'application', name: 'coterie', properties: [] },
    },
    components,
    dependencies: [
      { ref: main['bom-ref'], dependsOn: only([...kept]) },
      ...only([...needs.keys()]).map((ref) => ({ ref, dependsOn: only(needs.get(ref)) })),
    ],
    serialNumber: undefined,
  }
  return `${JSON.stringify({ ...content, serialNumber: serialNumberOf(content) }, null, 2)}\n`
}

function npmSbom() {
  // Not what the npm that may have called this was told, such as --json.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  const words = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--loglevel=error']
  const { status, stdout, stderr, error } = spawnSync('npm', words, { cwd: root, env, encoding: 'utf8' })
  if (status !== 0) throw new Problem(`npm sbom failed: ${(error?.message ?? stderr).trim()}`)
  return JSON.parse(stdout)
}

/** A UUID that depends on the content alone. */
function serialNumberOf(content) {
  const hex = createHash('sha256').update(JSON.stringify(content)).digest('hex')
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
}

function idOf({ name, version }) {
  return `${name}@${version}`
}
