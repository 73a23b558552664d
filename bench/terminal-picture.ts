// Draws lines of text as an SVG that looks like a terminal; as a recording, they appear one after the other.

import { displayWidth } from '../src/common/terminal/width.ts'
import type { Line } from '../src/common/terminal/line.ts'

const columnPx = 8.4
const rowPx = 19
const marginPx = 14

interface PictureOptions {
  /** Of the terminal. */
  readonly columns?: number
  /** For a recording: the time between two lines. Where nothing moves, all of them are seen at once. */
  readonly everyMs?: number
}

export function terminalPicture(
  lines: readonly Line[],
  { columns = 80, everyMs }: PictureOptions = {},
): string {
  const width = Math.ceil(columns * columnPx + 2 * marginPx)
  const height = Math.ceil(lines.length * rowPx + 2 * marginPx)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`,
    `<rect width="${width}" height="${height}" rx="8" fill="#1c1f26"/>`,
    ...(everyMs === undefined
      ? []
      : ['<style>@keyframes show { from { opacity: 0 } to { opacity: 1 } }</style>']),
    ...lines.map((line, row) => {
      const colour = line.tone === 'faint' ? '#8b93a3' : '#e6e9ef'
      const y = marginPx + rowPx * row + 14
      // The length is set, so that columns stand below each other in any font.
      const length = (displayWidth(line.text) * columnPx).toFixed(1)
      const shown =
        everyMs === undefined
          ? ''
          : ` style="animation: show 0.01s ${((row * everyMs) / 1000).toFixed(1)}s backwards"`
      return `<text${shown} x="${marginPx}" y="${y}" fill="${colour}" xml:space="preserve" textLength="${length}" lengthAdjust="spacingAndGlyphs">${escaped(line.text)}</text>`
    }),
    '</svg>',
    '',
  ].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
