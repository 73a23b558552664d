import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { TaskPool } from '../../../src/client/workers/task-pool.ts'
import { Failure } from '../../../src/common/failure.ts'

/** Answers each number with twice as much; ends at 0. */
const script = `
  const { parentPort } = require('node:worker_threads')
  parentPort.on('message', (number) => (number === 0 ? process.exit(3) : parentPort.postMessage(2 * number)))`

const noThread = new Failure('file', 'no thread can be started: Worker initialization failure: EAGAIN')

/** A pool whose threads can be started only so often. */
function poolOf(startsMax: number, size = 2): { pool: TaskPool<number, number>; started: Worker[] } {
  const started: Worker[] = []
  const startWorker = (): Worker => {
    if (started.length === startsMax) throw noThread
    const worker = new Worker(script, { eval: true })
    started.push(worker)
    return worker
  }
  const pool = new TaskPool<number, number>({ work: 'doubling', size, startWorker, idleMs: 1000 })
  onTestFinished(() => pool.close())
  return { pool, started }
}

const tasks = (...numbers: readonly number[]): (() => number)[] => numbers.map((number) => () => number)
const itself = (result: number): number => result

// A machine at its limit of threads ended the client.
test('where no thread can be started, what was to be done is a failure that says so', async () => {
  const { pool } = poolOf(0)
  await expect(pool.runAll(tasks(1, 2), itself)).rejects.toBe(noThread)
})

test('where only one can be started, it does all', async () => {
  const { pool, started } = poolOf(1)
  expect(await pool.runAll(tasks(1, 2, 3), itself)).toEqual([2, 4, 6])
  expect(started).toHaveLength(1)
})

test('what waits behind a thread that ended is a failure when no other can be started', async () => {
  const { pool, started } = poolOf(1, 1)
  const ending = pool.runAll(tasks(0), itself)
  const waiting = pool.runAll(tasks(1), itself)
  const [worker] = started
  const ended = worker && once(worker, 'exit')
  await expect(ending).rejects.toMatchObject({ code: 'file', message: expect.stringContaining('code 3') })
  await expect(waiting).rejects.toBe(noThread)
  await ended
})
