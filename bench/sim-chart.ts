// Draws time against the number of downloaders as an SVG, in colours readable on light and dark.

export interface Series {
  readonly name: string
  readonly points: readonly { downloaders: number; ratio: number }[]
}

const width = 720
const height = 400
const left = 60
const right = 160
const top = 30
const bottom = 50
const colours = ['#2f7ed8', '#d9822b', '#3d9970', '#8e44ad', '#b0344d', '#128a9e', '#8a6d1f', '#6b7280']
const ratioMax = 1.3

export function chart(series: readonly Series[]): string {
  const most = Math.max(...series.flatMap(({ points }) => points.map(({ downloaders }) => downloaders)))
  const x = (downloaders: number): number =>
    left + ((width - left - right) * Math.log(downloaders / 2)) / Math.log(most / 2)
  const y = (ratio: number): number =>
    height - bottom - ((height - top - bottom) * (Math.min(ratio, ratioMax) - 1)) / (ratioMax - 1)
  const best = [2, 8, 32, 128, 512, 2048, 10_000]
    .filter((downloaders) => downloaders <= most)
    .map((downloaders) => ({ downloaders, ratio: 1 + Math.log2(downloaders + 1) / 128 }))
  const all = [...series, { name: '1 + log2(n + 1) / 128', points: best }]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${left}" y="18" font-size="13">Time until the last has the file, as a multiple of the bound</text>`,
    ...[1, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3].map(
      (ratio) =>
        `<path d="M${left} ${y(ratio).toFixed(0)}H${width - right}" stroke="#dddddd"/>` +
        `<text x="${left - 8}" y="${(y(ratio) + 4).toFixed(0)}" text-anchor="end">${ratio.toFixed(2)}</text>`,
    ),
    ...[2, 10, 100, 1000, 10_000]
      .filter((downloaders) => downloaders <= most)
      .map(
        (downloaders) =>
          `<text x="${x(downloaders).toFixed(0)}" y="${height - bottom + 18}" text-anchor="middle">${downloaders}</text>`,
      ),
    `<text x="${(left + width - right) / 2}" y="${height - 12}" text-anchor="middle">downloaders at once</text>`,
    ...all.flatMap(({ name, points }, at) => {
      const colour = colours[at] ?? '#444444'
      const dashes = at < series.length ? '' : ' stroke-dasharray="4 4"'
      const path = points.map(
        ({ downloaders, ratio }) => `${x(downloaders).toFixed(1)} ${y(ratio).toFixed(1)}`,
      )
      const legendY = top + 20 * at + 10
      return [
        `<path d="M${path.join('L')}" fill="none" stroke="${colour}" stroke-width="2"${dashes}/>`,
        `<text x="${width - right + 12}" y="${legendY}" fill="${colour}">${name}</text>`,
      ]
    }),
    '</svg>',
    '',
  ].join('\n')
}
