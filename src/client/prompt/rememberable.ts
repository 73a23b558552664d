// What of a typed line may be remembered: never a password. Pure.

import { findCommand } from './commands/program.ts'
import { quoteWord, splitWords } from './text/words.ts'

/**
 * The line without passwords, as it may be remembered; undefined for one that is better forgotten: a line that cannot be
 * split into words may have one anywhere.
 */
export function rememberable(line: string): string | undefined {
  const words = splitWords(line)
  if (!words.ok) return undefined
  const [name = ''] = words.value
  const command = findCommand(name)
  const mayBeMistyped = command === undefined && words.value.length > 1
  // Perhaps `logn ann secret`.
  if (mayBeMistyped) return name
  const { secretsFrom } = command ?? {}
  if (secretsFrom === undefined || words.value.length <= 1 + secretsFrom) return line.trim()
  return words.value
    .slice(0, 1 + secretsFrom)
    .map(quoteWord)
    .join(' ')
}
