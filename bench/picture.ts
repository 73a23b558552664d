// npm run picture
// Draws docs/watch.svg: what `watch` shows at a terminal of 80 columns, as the layout prints it; and docs/session.svg: how a
// file is fetched, as the first session shows it, which a test plays with the real programs.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { recordedEveryMs, recordedLines } from './recorded-session.ts'
import { terminalPicture } from './terminal-picture.ts'
import { watchedLines } from './watched-entry.ts'

const pictures = {
  'watch.svg': terminalPicture(watchedLines),
  'session.svg': terminalPicture(recordedLines, { everyMs: recordedEveryMs }),
}
for (const [name, text] of Object.entries(pictures)) {
  const path = fileURLToPath(new URL(`../docs/${name}`, import.meta.url))
  writeFileSync(path, text)
  process.stdout.write(`${path}\n`)
}
