// Which pieces of an entry are here, coming, and to be had: drawn on a canvas, with the same in words.

import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { mapCharacter, sumOf } from '../../../client/prompt/views/entry.ts'
import type { MapCell } from '../../../client/operations.ts'
import { counted } from '../../../common/counted.ts'
import { component, html } from '../html.ts'
import { useColours } from './colours.ts'

const cellsPerRow = 64
const cellPx = 14

/** A colour and a shape for each: nobody has to tell colours apart. `fill`: how much of the cell's height. */
const looks: ReadonlyMap<string, { readonly colour: string; readonly fill: number }> = new Map([
  ['█', { colour: '--map-here', fill: 1 }],
  ['▄', { colour: '--map-here', fill: 0.55 }],
  ['▒', { colour: '--map-coming', fill: 0.75 }],
  ['░', { colour: '--map-at-peers', fill: 0.35 }],
  ['·', { colour: '--map-nowhere', fill: 0.12 }],
])

export function pieceMap(map: readonly MapCell[]): VNode | string {
  return map.length === 0 ? '' : component(PieceMap, { map })
}

function PieceMap({ map }: { map: readonly MapCell[] }): VNode {
  const canvas = useRef<HTMLCanvasElement>(null)
  const colourOf = useColours()
  const shapes = map.map(mapCharacter)
  const colours = new Map([...looks].map(([shape, { colour }]) => [shape, colourOf(colour)]))
  const rows = Math.ceil(map.length / cellsPerRow)
  // As wide for a few cells as for many: a cell has one size.
  const width = cellsPerRow * cellPx
  const [here, coming, atPeers, nowhere] = sumOf(map)
  useEffect(() => {
    const picture = canvas.current?.getContext('2d')
    if (picture === undefined || picture === null) return
    picture.clearRect(0, 0, width, rows * cellPx)
    for (const [at, shape] of shapes.entries()) {
      const [x, y] = [(at % cellsPerRow) * cellPx, Math.floor(at / cellsPerRow) * cellPx]
      const height = Math.max(2, Math.round((cellPx - 2) * (looks.get(shape)?.fill ?? 0)))
      picture.fillStyle = colours.get(shape) ?? ''
      picture.fillRect(x + 1, y + cellPx - 1 - height, cellPx - 2, height)
    }
    // Drawn again when it looks otherwise, not each time that the page has asked.
  }, [shapes.join(), [...colours.values()].join()])
  const words = `${counted(here, 'piece')} here, ${coming} coming, ${atPeers} at peers, ${nowhere} nowhere`
  return html`<figure class="map">
    <canvas
      ref=${canvas}
      role="img"
      aria-label=${`Piece map: ${words}`}
      width=${width}
      height=${rows * cellPx}
    ></canvas>
    <figcaption>
      <span class="key here">here ${here}</span> <span class="key coming">coming ${coming}</span> ${' '}<span
        class="key at-peers"
        >at peers ${atPeers}</span
      >
      <span class="key nowhere">nowhere ${nowhere}</span>
    </figcaption>
  </figure>`
}
