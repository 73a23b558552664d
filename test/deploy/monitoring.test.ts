// The dashboard, the alarms and the example for Prometheus ask for numbers that the programs have.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clientFamilies } from '../../src/client/client-metrics.ts'
import { formatAddress } from '../../src/common/addresses.ts'
import { EventLoopLag } from '../../src/common/prometheus/event-loop-lag.ts'
import { exposition } from '../../src/common/prometheus/exposition.ts'
import { runMonitored } from '../tracker/metrics/monitored-tracker.ts'
import { readExposition, type ReadFamily } from '../tracker/metrics/read-exposition.ts'
import { read, root } from './deployed.ts'

type Families = Map<string, ReadFamily>

interface Panel {
  readonly id: number
  readonly title: string
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string }[]
}

const dashboard = JSON.parse(read('grafana/coterie.json')) as {
  panels: readonly Panel[]
  templating: { list: readonly { name: string; type: string }[] }
}
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
const alarms = [...read('prometheus/alerts.yml').matchAll(/^ +expr: (.*)$/gm)].map(([, expr = '']) => expr)
const jobs = [...read('prometheus/prometheus.yml').matchAll(/job_name: (\S+)/g)].map(([, name = '']) => name)

async function ofTracker(): Promise<Families> {
  const { tracker } = await runMonitored()
  const address = tracker.metricsAddress
  if (address === undefined) throw new Error('the tracker serves no metrics')
  return readExposition(await (await fetch(`http://${formatAddress(address)}/metrics`)).text())
}

/** With something of each kind, so that all labels are seen. */
function ofClient(): Families {
  const loop = new EventLoopLag()
  const peer = { key: 'a', way: 'direct', bytesPerSecond: 1 } as const
  const downloads = { all: [{ peers: [peer] }], views: () => [{ state: 'running' }] }
  const core = {
    session: () => ({ downloads }),
    uploads: () => [peer],
    guestFetches: () => [{ link: 1, bytesPerSecond: 1 }],
    link: { evidence: [{ state: 'up' }] },
  }
  try {
    return readExposition(exposition(clientFamilies(core as never, loop)))
  } finally {
    loop.stop()
  }
}

/** The metrics that an expression names, each with the labels that it chooses by. */
function chosen(expression: string): { name: string; labels: string[] }[] {
  return [...expression.matchAll(/\b([a-z]+(?:_[a-z]+)*)\{([^}]*)\}/g)].map(([, name = '', choice = '']) => ({
    name,
    labels: [...choice.matchAll(/(\w+)=~?"/g)].map(([, label = '']) => label),
  }))
}

/** The labels by which an expression sums. */
function summedBy(expression: string): string[] {
  return [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/, */))
}

/** Undefined for a metric that there is not. The labels of a family without a number are not known. */
function labelsOf(families: Families, name: string): string[] | undefined {
  const family = families.get(name.replace(/_(bucket|sum|count)$/, '')) ?? families.get(name)
  return family && [...family.series.values()].flat().flatMap(({ labels }) => Object.keys(labels))
}

test('each panel and each alarm asks for metrics of the program whose job it names', async () => {
  const families = new Map([
    ['coterie-tracker', await ofTracker()],
    ['coterie-client', ofClient()],
  ])
  expect([...families.keys()]).toEqual(jobs)
  for (const expression of [...expressions, ...alarms]) {
    const named = chosen(expression)
    expect([expression, named.length]).not.toEqual([expression, 0])
    const [, job = ''] = /job="([^"]+)"/.exec(expression) ?? []
    for (const { name, labels } of named) {
      expect([expression, labels.includes('job')]).toEqual([expression, true])
      // Prometheus' own: whether it was answered.
      if (name === 'up') continue
      const known = labelsOf(families.get(job) ?? new Map(), name)
      expect([expression, name, known]).not.toEqual([expression, name, undefined])
      if (known === undefined || known.length === 0) continue
      const used = [...labels, ...summedBy(expression)].filter((label) => !/^(job|instance)$/.test(label))
      for (const label of used)
        expect([expression, label, known]).toEqual([expression, label, expect.arrayContaining([label])])
    }
  }
})

test('whatever the programs count is on the dashboard', async () => {
  const shown = new Set(
    expressions.flatMap(chosen).map(({ name }) => name.replace(/_(bucket|sum|count)$/, '')),
  )
  for (const families of [await ofTracker(), ofClient()])
    expect([...families.keys()].filter((name) => !shown.has(name))).toEqual([])
})

test('the panels have numbers of their own and lie beside each other', () => {
  const { panels } = dashboard
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ title, gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => ({ title, cell: `${x + (at % w)},${y + Math.floor(at / w)}` })),
  )
  const taken = new Map<string, string>()
  for (const { title, cell } of cells) {
    expect([title, taken.get(cell)]).toEqual([title, undefined])
    taken.set(cell, title)
  }
  const names = dashboard.templating.list.map(({ name }) => `$${name}`)
  for (const expression of expressions)
    for (const [used = ''] of expression.matchAll(/\$(?!__)\w+/g))
      expect([expression, names]).toEqual([expression, expect.arrayContaining([used])])
})

test('the alarms are those of the document', () => {
  const document = readFileSync(join(root, 'docs/operations.md'), 'utf8')
  for (const alarm of alarms) {
    const [, name = ''] = /(\w+)\{/.exec(alarm) ?? []
    expect(document).toContain(name === 'up' ? 'does not answer' : name)
  }
})
