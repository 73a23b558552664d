// What Prometheus gets from a running tracker.

import { expect, onTestFinished, test } from 'vitest'
import { formatAddress } from '../../../src/common/addresses.ts'
import { runTracker } from '../support/test-tracker.ts'
import { TestClient } from '../support/test-client.ts'
import { runMonitored } from './monitored-tracker.ts'
import { readExposition, type ReadFamily } from './read-exposition.ts'
import type { Tracker } from '../../../src/tracker/tracker.ts'

function url(tracker: Tracker): string {
  return `http://${tracker.metricsAddress === undefined ? '' : formatAddress(tracker.metricsAddress)}`
}

async function scrape(tracker: Tracker): Promise<Map<string, ReadFamily>> {
  const response = await fetch(`${url(tracker)}/metrics`)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  return readExposition(await response.text())
}

/** The value of a family's one series, or of the one with these labels. */
function valueOf(families: Map<string, ReadFamily>, name: string, labels: object = {}): number | undefined {
  const [family] = [...families].filter(([each]) => name.startsWith(each)).map(([, read]) => read)
  return family?.series
    .get(name)
    ?.find((each) => Object.entries(labels).every(([key, value]) => each.labels[key] === value))?.value
}

test('it is counted who is there, what was asked, how it went and what was refused', async () => {
  const { tracker } = await runMonitored()
  const ann = await TestClient.loggedIn(tracker.address, 'ann')
  const stranger = await TestClient.connect(tracker.address)
  await stranger.hello()
  expect((await stranger.login('ann', 'wrong')).ok).toBe(false)
  await ann.change('create_group', { group: 'g' })
  await ann.change('create_group', { group: 'g' })
  const version = { group: 'g', name: 'a', fileId: 'ab'.repeat(32) }
  await ann.change('share_file', { ...version, sizeBytes: 1 })
  await ann.request('announce', { files: [{ ...version, complete: true }] })
  await ann.request('list_files', { group: 'g' })
  const families = await scrape(tracker)
  const counted = (method: string): unknown =>
    valueOf(families, 'coterie_request_duration_seconds_count', { method })
  expect(['create_group', 'list_files', 'list_groups'].map(counted)).toEqual([2, 1, 0])
  expect(
    Object.fromEntries(
      [...families]
        .filter(([, { type }]) => type !== 'histogram')
        .map(([name]) => [name, valueOf(families, name)]),
    ),
  ).toMatchObject({
    coterie_connections: 2,
    coterie_clients: 1,
    coterie_peers: 1,
    coterie_failed_logins_total: 1,
    coterie_relay_pairs: 0,
    coterie_relayed_bytes_total: 0,
    coterie_users: 1,
    coterie_groups: 1,
    coterie_files: 1,
    // The tracker itself, the user, two groups of which one was refused, the file.
    coterie_log_position: 5,
    coterie_log_lag_entries: 0,
  })
  // Clients on this machine are not looked for.
  for (const outcome of ['reached', 'silent', 'other', 'dropped'])
    expect(valueOf(families, 'coterie_probes_total', { outcome })).toBe(0)
  expect(valueOf(families, 'coterie_refusals_total', { code: 'group-taken' })).toBe(1)
  expect(valueOf(families, 'coterie_refusals_total', { code: 'login-failed' })).toBe(1)
  expect(valueOf(families, 'process_resident_memory_bytes')).toBeGreaterThan(10 * 2 ** 20)
  const heapBytes = valueOf(families, 'nodejs_heap_size_used_bytes')
  expect(heapBytes).toBeGreaterThan(2 ** 20)
  expect(heapBytes).toBeLessThan(valueOf(families, 'process_resident_memory_bytes') ?? 0)
  expect(valueOf(families, 'process_cpu_seconds_total')).toBeGreaterThan(0)
  expect(valueOf(families, 'coterie_log_lag_seconds')).toBeLessThan(5)
})

test('how long the event loop stood still is told once', async () => {
  const { tracker } = await runMonitored()
  await scrape(tracker)
  const endMs = performance.now() + 300
  while (performance.now() < endMs);
  const families = await scrape(tracker)
  expect(valueOf(families, 'coterie_event_loop_lag_seconds')).toBeGreaterThan(0.2)
  expect(valueOf(await scrape(tracker), 'coterie_event_loop_lag_seconds')).toBeLessThan(0.2)
})

test('there is nothing but the metrics, they are on loopback, and nothing can be sent', async () => {
  const { tracker } = await runMonitored()
  expect(tracker.metricsAddress?.host).toBe('127.0.0.1')
  expect((await fetch(`${url(tracker)}/`)).status).toBe(404)
  expect((await fetch(`${url(tracker)}/metrics`, { method: 'POST', body: 'x' })).status).toBe(404)
  const head = await fetch(`${url(tracker)}/metrics?a=b`, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test('without being asked for, nothing listens', async () => {
  expect((await runTracker()).metricsAddress).toBeUndefined()
})

test('a tracker whose metrics port is taken does not start, and says so', async () => {
  const first = await runMonitored()
  const port = first.tracker.metricsAddress?.port ?? 0
  await expect(runMonitored(port)).rejects.toMatchObject({
    code: 'start',
    message: `cannot listen on 127.0.0.1:${port}: another program uses this port`,
  })
})

test('a scrape under way does not keep a tracker from ending', async () => {
  const { tracker } = await runMonitored()
  const { body } = await fetch(`${url(tracker)}/metrics`)
  onTestFinished(() => body?.cancel())
  await tracker.close()
  await expect(fetch(`${url(tracker)}/metrics`)).rejects.toThrow('fetch failed')
})
