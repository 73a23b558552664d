// Reads Prometheus' text format 0.0.4 as strictly as its description allows, and throws at what breaks it:
// https://prometheus.io/docs/instrumenting/exposition_formats/

export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ReadFamily {
  readonly type: string
  readonly help: string
  /** By the full name: with `_bucket`, `_sum` and `_count`. */
  readonly series: Map<string, Series[]>
}

const name = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"'
const sample = new RegExp(`^(${name})(?:\\{(${label}(?:,${label})*)?\\})? (\\S+)$`)
const suffixes: Readonly<Record<string, string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  counter: [''],
  gauge: [''],
}

export function readExposition(text: string): Map<string, ReadFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, ReadFamily>()
  const seen = new Set<string>()
  let help: { family: string; text: string } | undefined
  let current: { family: string; type: string } | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = new RegExp(`^# (HELP|TYPE) (${name}) (.+)$`).exec(line)
    if (comment !== null) {
      const [, kind = '', family = '', rest = ''] = comment
      if (kind === 'HELP') {
        help = { family, text: rest }
        continue
      }
      if (help?.family !== family) throw new Error(`no HELP before ${line}`)
      if (families.has(family)) throw new Error(`${family} comes twice`)
      if (!(rest in suffixes)) throw new Error(`an unknown type: ${line}`)
      families.set(family, { type: rest, help: help.text, series: new Map() })
      current = { family, type: rest }
      continue
    }
    const match = sample.exec(line)
    if (match === null || current === undefined) throw new Error(`not a line of the format: ${line}`)
    const [, full = '', labelText = '', number = ''] = match
    const { family, type } = current
    if (!suffixes[type]?.some((suffix) => full === family + suffix)) throw new Error(`${full} in ${family}`)
    if (seen.has(`${full} ${labelText}`)) throw new Error(`a series comes twice: ${line}`)
    seen.add(`${full} ${labelText}`)
    const value = number === '+Inf' ? Infinity : Number(number)
    if (Number.isNaN(value)) throw new Error(`no number: ${line}`)
    const series = families.get(family)?.series
    series?.set(full, [...(series.get(full) ?? []), { labels: labelsOf(labelText), value }])
  }
  for (const [family, read] of families) if (read.type === 'histogram') checkHistogram(family, read)
  return families
}

function labelsOf(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
  return Object.fromEntries(
    pairs.map(([, key, value = '']) => [
      key,
      value.replaceAll(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c)),
    ]),
  )
}

/** Buckets count everything below their end: they never fall, and the last one has all. */
function checkHistogram(family: string, { series }: ReadFamily): void {
  const totals = new Map<string, number>()
  for (const { labels, value } of series.get(`${family}_bucket`) ?? []) {
    const { le, ...others } = labels
    const key = JSON.stringify(others)
    if (value < (totals.get(key) ?? 0)) throw new Error(`${family} ${key}: fewer up to ${le} than before`)
    totals.set(key, value)
    if (le === undefined || Number.isNaN(Number(le.replace('+Inf', 'Infinity')))) throw new Error(`le ${le}`)
  }
  for (const { labels, value } of series.get(`${family}_count`) ?? []) {
    if (totals.get(JSON.stringify(labels)) !== value) throw new Error(`${family}: the last bucket is not all`)
    const ends = (series.get(`${family}_bucket`) ?? []).filter(
      (bucket) => bucket.labels['method'] === labels['method'],
    )
    if (ends.at(-1)?.labels['le'] !== '+Inf') throw new Error(`${family}: the last bucket has an end`)
  }
}
