import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { Worker } from 'node:worker_threads'
import { type Algorithm, algorithms, type Limit } from '../src/core/limits.ts'
import { SharedTable } from '../src/stores/memory/table.ts'
import type { LimitThreadData } from './support/limit-thread.ts'

const DAY = 86_400_000
const THREADS = 3

/** How often each client was admitted by all threads together. */
async function countAdmitted(table: SharedTable, limit: Limit, clients: readonly string[], rounds: number): Promise<number[]> {
  const gate = new SharedArrayBuffer(4)
  new Int32Array(gate)[0] = THREADS
  const workerData: LimitThreadData = { buffer: table.buffer, limit, clients, rounds, gate }
  const counts = await Promise.all(
    Array.from({ length: THREADS }, async () => {
      const worker = new Worker(new URL('support/limit-thread.ts', import.meta.url), { workerData })
      const [admitted] = (await once(worker, 'message')) as [number[]]
      return admitted
    }),
  )
  return clients.map((_, i) => counts.reduce((sum, admitted) => sum + admitted[i]!, 0))
}

function limit(algorithm: Algorithm, ...limits: number[]): Limit {
  return { name: 'tier', algorithm, quotas: limits.map((number, i) => ({ limit: number, window: (i + 1) * 30 * DAY })) }
}

for (const algorithm of algorithms) {
  test(`${algorithm}: threads that ask at once for the same few clients get each limit, and not one more`, async () => {
    const clients = Array.from({ length: 4 }, (_, i) => `client-${i}`)
    const admitted = await countAdmitted(SharedTable.create(1024), limit(algorithm, 1000), clients, 2000)
    assert.deepEqual(admitted, clients.map(() => 1000))
  })

  test(`${algorithm}: threads that see thousands of clients for the first time give each its limit, and not one more`, async () => {
    const clients = Array.from({ length: 5000 }, (_, i) => `client-${i}`)
    const table = SharedTable.create(65_536)
    const admitted = await countAdmitted(table, limit(algorithm, 2), clients, 3)
    assert.deepEqual([table.evictions, admitted.filter((count) => count !== 2)], [0, []])
  })

  test(`${algorithm}: threads that count on two quotas at once exhaust the smaller one, and not one more`, async () => {
    const clients = ['client']
    const admitted = await countAdmitted(SharedTable.create(1024), limit(algorithm, 600, 500), clients, 2000)
    assert.deepEqual(admitted, [500])
  })
}
