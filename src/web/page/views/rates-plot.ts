// What came and went in the last ten minutes, as a plot and in words.

import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { formatSpeed } from '../../../common/rates.ts'
import { component, html } from '../html.ts'
import type { RateSample } from '../state.ts'
import { useColours } from './colours.ts'

const heightPx = 180
const spanSeconds = 600

export function ratesPlot(samples: readonly RateSample[]): VNode {
  const into = samples.map(({ bytesInPerSecond }) => bytesInPerSecond)
  const out = samples.map(({ bytesOutPerSecond }) => bytesOutPerSecond)
  const words = (each: readonly number[]): string =>
    `${formatSpeed(each.at(-1) ?? 0)} now, ${formatSpeed(Math.max(0, ...each))} at most`
  return html`<figure class="plot">
    ${component(Plot, { samples })}
    <figcaption>
      <span class="key in">in: ${words(into)}</span> <span class="key out">out: ${words(out)}</span>
    </figcaption>
  </figure>`
}

function Plot({ samples }: { samples: readonly RateSample[] }): VNode {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const colourOf = useColours()
  const look = ['--in', '--out', '--faint', '--line'].map(colourOf)
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const made = new uPlot(optionsFor(element.clientWidth, look), dataOf(samples), element)
    plot.current = made
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: heightPx }))
    watch.observe(element)
    return () => {
      watch.disconnect()
      made.destroy()
    }
  }, [look.join()])
  useEffect(() => plot.current?.setData(dataOf(samples)), [samples])
  return html`<div ref=${box} class="plot-box" role="img" aria-label="Rates of the last ten minutes"></div>`
}

/** Of the axis, in bytes a second: round numbers of KiB, MiB and GiB. */
const steps = [1024, 1024 ** 2, 1024 ** 3].flatMap((unit) =>
  [1, 2, 5, 10, 20, 50, 100, 200, 500].map((count) => count * unit),
)

function dataOf(samples: readonly RateSample[]): uPlot.AlignedData {
  return [
    samples.map(({ atSeconds }) => atSeconds),
    samples.map(({ bytesInPerSecond }) => bytesInPerSecond),
    samples.map(({ bytesOutPerSecond }) => bytesOutPerSecond),
  ]
}

function optionsFor(width: number, [into = '', out = '', faint = '', line = '']: string[]): uPlot.Options {
  const axis = { stroke: faint, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } }
  return {
    width,
    height: heightPx,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: (_plot, _min, max) => [(max || 0) - spanSeconds, max || 0] },
      y: { range: (_plot, _min, max) => [0, Math.max(64 * 1024, (max || 0) * 1.1)] },
    },
    axes: [
      {
        ...axis,
        splits: (_plot, _axis, min, max) => ticksOf(min, max, width < 600 ? 300 : 120),
        values: (_plot, ticks) => ticks.map((at) => minutesAgo((ticks.at(-1) ?? at) - at)),
      },
      { ...axis, size: 84, incrs: steps, values: (_plot, ticks) => ticks.map(formatSpeed) },
    ],
    series: [
      {},
      { stroke: into, width: 2, points: { show: false } },
      { stroke: out, width: 2, dash: [6, 4], points: { show: false } },
    ],
  }
}

/** The last is now. */
function ticksOf(min: number, max: number, everySeconds: number): number[] {
  const count = Math.floor((max - min) / everySeconds)
  return Array.from({ length: count + 1 }, (_, at) => max - (count - at) * everySeconds)
}

function minutesAgo(seconds: number): string {
  const minutes = Math.round(seconds / 60)
  return minutes === 0 ? 'now' : `−${minutes} min`
}
