import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { Worker } from 'node:worker_threads'
import { systemClock } from '../src/core/clock.ts'
import { type Algorithm, algorithms, type Limit } from '../src/policies/rate-limit/meter.ts'
import { MemoryMeter } from '../src/policies/rate-limit/memory/memory-meter.ts'
import { SharedTable } from '../src/policies/rate-limit/memory/table.ts'
import type { LimitThreadData } from './support/limit-thread.ts'

const DAY = 86_400_000
const THREADS = 3

/** How often all threads together admitted each client. */
async function countAdmitted(
  table: SharedTable,
  limit: Limit,
  clients: readonly string[],
  rounds: number,
  ahead = 0,
): Promise<number[]> {
  const gate = new SharedArrayBuffer(4)
  new Int32Array(gate)[0] = THREADS
  const workerData: LimitThreadData = { buffer: table.buffer, limit, clients, rounds, ahead, gate }
  const counts = await Promise.all(
    Array.from({ length: THREADS }, async () => {
      const worker = new Worker(new URL('support/limit-thread.ts', import.meta.url), { workerData })
      const [admitted] = (await once(worker, 'message')) as [number[]]
      return admitted
    }),
  )
  return clients.map((_, i) => counts.reduce((sum, admitted) => sum + admitted[i]!, 0))
}

function makeLimit(algorithm: Algorithm, ...limits: number[]): Limit {
  return { name: 'tier', algorithm, quotas: limits.map((number, i) => ({ limit: number, window: (i + 1) * 30 * DAY })) }
}

for (const algorithm of algorithms) {
  test(`${algorithm}: concurrent threads give a few clients exactly their limit`, async () => {
    const clients = Array.from({ length: 4 }, (_, i) => `client-${i}`)
    const admitted = await countAdmitted(SharedTable.create(1024), makeLimit(algorithm, 1000), clients, 2000)
    assert.deepEqual(
      admitted,
      clients.map(() => 1000),
    )
  })

  test(`${algorithm}: concurrent threads give thousands of new clients exactly their limit`, async () => {
    const clients = Array.from({ length: 5000 }, (_, i) => `client-${i}`)
    const table = SharedTable.create(65_536)
    const admitted = await countAdmitted(table, makeLimit(algorithm, 2), clients, 3)
    assert.deepEqual([table.evictions, admitted.filter((count) => count !== 2)], [0, []])
  })

  test(`${algorithm}: concurrent threads give thousands of clients whose counts had expired exactly their limit`, async () => {
    const clients = Array.from({ length: 5000 }, (_, i) => `client-${i}`)
    const limit = makeLimit(algorithm, 2)
    const table = SharedTable.create(65_536)
    const meter = new MemoryMeter(table, systemClock, limit)
    for (const client of clients) meter.decide(client, 2)
    const admitted = await countAdmitted(table, limit, clients, 3, 50 * DAY)
    assert.deepEqual([table.evictions, admitted.filter((count) => count !== 2)], [0, []])
  })

  test(`${algorithm}: concurrent threads with two quotas use up the smaller one, and charge the other no more than that`, async () => {
    const table = SharedTable.create(1024)
    const limit = makeLimit(algorithm, 600, 500)
    assert.deepEqual(await countAdmitted(table, limit, ['client'], 2000), [500])
    const { quotas } = new MemoryMeter(table, systemClock, limit).decide('client', 0)
    assert.deepEqual(
      quotas.map(({ remaining }) => remaining),
      [100, 0],
    )
  })
}
