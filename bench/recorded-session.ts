// What Ben sees in docs/first-session.md, as lines of a recording.

import { readFileSync } from 'node:fs'
import type { Line } from '../src/common/terminal/line.ts'
import { blocksOf } from '../test/style/console-blocks.ts'

const document = readFileSync(new URL('../docs/first-session.md', import.meta.url), 'utf8')

export const recordedLines: readonly Line[] = blocksOf(document)
  .filter(({ where }) => where === 'C')
  .flatMap(({ lines }) => lines)
  .map((text) => (/^(\$|[a-z]+>) /.test(text) ? { text } : { text, tone: 'faint' }))

export const recordedEveryMs = 700
