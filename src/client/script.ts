// What a script on the command line is made of: commands (-e) and files of commands (-f), in their order. Also where a
// password comes from that no command has.

import { createReadStream, readFileSync, statSync } from 'node:fs'
import { Failure, sentenceOf } from '../common/failure.ts'
import { inputLines } from './prompt/input-lines.ts'

/** `-e <commands>` or `-f <file>`; the file `-` is standard input. */
export type ScriptPart = { readonly commands: string } | { readonly file: string }

/** The lines of a script; undefined for one that is too long. Rejects with what the system says of a file. */
export async function* scriptLines(parts: readonly ScriptPart[]): AsyncGenerator<string | undefined> {
  for (const part of parts) {
    if ('commands' in part) yield* part.commands.split('\n')
    else yield* inputLines(part.file === '-' ? process.stdin : createReadStream(part.file))
  }
}

/** The same lines; the first is read now, and is undefined where there is none. */
export function readAhead(lines: AsyncGenerator<string | undefined>): {
  first: Promise<string | undefined>
  lines: AsyncGenerator<string | undefined>
} {
  const begun = lines.next()
  const all = async function* (): typeof lines {
    const first = await begun
    if (first.done === true) return
    yield first.value
    yield* lines
  }
  const first = async (): Promise<string | undefined> => {
    const next: IteratorResult<string | undefined, void> = await begun
    return next.done === true ? undefined : next.value
  }
  // Whoever reads the lines hears why the first one cannot be read.
  return { first: first().catch(() => undefined), lines: all() }
}

/**
 * The password of `--password-file`, the first line, or else of the environment. Throws a `usage` failure for a file
 * that cannot be read, or that others can.
 */
export function passwordOf(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (file === undefined) return env['COTERIE_PASSWORD']
  try {
    const stats = statSync(file)
    // A pipe of the shell, `<(pass coterie)`, is nobody else's.
    if (stats.isFile() && (stats.mode & 0o077) !== 0)
      throw new Failure('usage', `others can read the password in ${file}; run: chmod 600 ${file}`)
    const [first = ''] = readFileSync(file, 'utf8').split(/\r?\n/)
    return first
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('usage', `cannot read the password from ${file}: ${sentenceOf(error)}`, error)
  }
}
