// The types of the library as one file: of what the compiler writes for each module, the declarations that those of
// src/library/main.ts need, and no others. The compiler puts each declaration at the beginning of a line, with its comment
// above.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { Problem, root } from './stamp.mjs'

const start = /^(?:export )?(?:declare )?(?:abstract )?(type|interface|class|const|function) ([\w$]+)/
const entry = 'library/main'

/** Throws a `Problem` when they do not compile, or need a package. */
export function libraryTypes() {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-types-'))
  try {
    compile(folder)
    const modules = new Map()
    const moduleOf = (name) => {
      if (!modules.has(name)) modules.set(name, parse(readFileSync(join(folder, `${name}.d.ts`), 'utf8')))
      return modules.get(name)
    }
    return gather(moduleOf)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function compile(folder) {
  const words = ['-p', 'tsconfig.json', '--declaration', '--emitDeclarationOnly', '--outDir', folder]
  const typescript = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status, stdout } = spawnSync(process.execPath, [typescript, ...words], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Problem(`the types of the library do not compile:\n${stdout}`)
}

/** Which declarations a module has, where it imports names from, and which it passes on. */
function parse(text) {
  const [declared, imported, passedOn] = [new Map(), new Map(), []]
  let comment = []
  let current
  for (const line of text.split('\n')) {
    const [, kind, name] = start.exec(line) ?? []
    const [, names, from] = /^import (?:type )?\{ (.+) \} from '(.+)';$/.exec(line) ?? []
    if (line.startsWith('/**') || line.startsWith(' *')) {
      comment.push(line)
      current = undefined
    } else if (kind !== undefined) {
      current = { kind, name, lines: [...comment, line], isExported: line.startsWith('export ') }
      declared.set(name, current)
      comment = []
    } else if (names !== undefined) {
      for (const each of names.split(', ')) imported.set(each.replace(/^type /, ''), from)
    } else if (current !== undefined && /^[\s}]/.test(line)) current.lines.push(line)
    else passedOn.push(...(/^export \{ (.*) \};$/.exec(line)?.[1]?.split(', ') ?? []))
  }
  return { declared, imported, passedOn }
}

/** All that the entry declares or passes on, and all that is named in what was gathered. */
function gather(moduleOf) {
  const { declared, passedOn } = moduleOf(entry)
  const values = new Set(
    [...declared.values()].filter(({ isExported }) => isExported).map(({ name }) => name),
  )
  for (const name of passedOn) values.add(name)
  const found = new Map()
  const visit = (module, name) => {
    const { declared: here, imported } = moduleOf(module)
    const declaration = here.get(name)
    if (declaration === undefined) {
      const from = imported.get(name)
      if (from === undefined) return
      if (!from.startsWith('.')) throw new Problem(`the types of the library need ${name} of ${from}`)
      visit(normalize(join(dirname(module), from.replace(/\.ts$/, ''))), name)
      return
    }
    if (found.get(name) === declaration) return
    if (found.has(name)) throw new Problem(`the types of the library have two declarations of ${name}`)
    found.set(name, declaration)
    for (const each of namesIn(declaration.lines.join('\n'))) visit(module, each)
  }
  for (const name of values) visit(entry, name)
  // Without the last line all of it would be exported.
  return [...[...found.values()].map((each) => textOf(each, values.has(each.name))), 'export {};', ''].join(
    '\n',
  )
}

function namesIn(declaration) {
  return declaration.replace(/\/\*[^]*?\*\/|'(?:[^'\\]|\\.)*'/g, '').match(/[A-Za-z_$][\w$]*/g) ?? []
}

/** What exists at run time is exported only if the library has it. */
function textOf({ kind, lines }, isOfLibrary) {
  const isType = kind === 'type' || kind === 'interface'
  const prefix = isType ? 'export ' : isOfLibrary ? 'export declare ' : 'declare '
  return lines
    .map((line) => (start.test(line) ? prefix + line.replace(/^(export )?(declare )?/, '') : line))
    .join('\n')
}
