// npm run picture
// Draws docs/watch.svg: what `watch` shows at a terminal of 80 columns, as the layout prints it.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { terminalPicture } from './terminal-picture.ts'
import { watchedLines } from './watched-entry.ts'

const path = fileURLToPath(new URL('../docs/watch.svg', import.meta.url))
writeFileSync(path, terminalPicture(watchedLines))
process.stdout.write(`${path}\n`)
