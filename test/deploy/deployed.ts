// What lies under deploy/, as its readers take it: the text of a file, and the command of a service.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const deploy = join(root, 'deploy')

export function read(name: string): string {
  return readFileSync(join(deploy, name), 'utf8')
}

/** The words of a service's command in the compose file. */
export function commandOf(service: string): string[] {
  const [, body = ''] = new RegExp(`^  ${service}:\\n((?:    .*\\n)+)`, 'm').exec(read('compose.yaml')) ?? []
  const [, items = ''] = /^ {4}command:\n((?: {6}- .*\n)+)/m.exec(body) ?? []
  return items
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^ {6}- /, '').replace(/^(['"])(.*)\1$/, '$2'))
}
