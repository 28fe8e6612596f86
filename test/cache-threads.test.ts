import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { Worker } from 'node:worker_threads'
import { systemClock } from '../src/core/clock.ts'
import { Headers } from '../src/http/headers.ts'
import { FlightTable } from '../src/policies/cache/memory/flight-table.ts'
import { ReplyMemories } from '../src/policies/cache/memory/reply-memories.ts'
import { ReplyMemory } from '../src/policies/cache/memory/reply-memory.ts'
import { makeCacheEntry } from './support/cache-entry.ts'
import { cleanUp } from './support/cleanup.ts'
import type { TortureOrder, TortureReport } from './support/cache-torture.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { memoryStores } from './support/memory-stores.ts'

const KEYS = 60
const THREADS = 3

test('concurrent put, find and invalidate never yield a torn, wrong or invalidated entry', async (t) => {
  const bytes = 500_000
  const buffer = ReplyMemory.create(bytes, Math.random)!
  const purges = new SharedArrayBuffer(2 * KEYS * Int32Array.BYTES_PER_ELEMENT)
  const reports = await Promise.all(
    Array.from({ length: THREADS }, async (_, i) => {
      const workerData: TortureOrder = { buffer, purges, keys: KEYS, thread: i + 1, steps: 20_000 }
      const worker = new Worker(new URL('support/cache-torture.ts', import.meta.url), { workerData })
      cleanUp(t, () => worker.terminate())
      const [report] = (await once(worker, 'message')) as [TortureReport]
      return report
    }),
  )
  assert.deepEqual(
    reports.flatMap(({ problems }) => problems),
    [],
  )
  for (const { found } of reports) assert.ok(found > 1_000)
  const { usage } = new ReplyMemory(buffer, THREADS + 1)
  assert.ok(usage.bytes <= bytes && usage.entries <= KEYS)
})

const ASKED = Headers.of()

test('a thread that dies while writing blocks nobody, and its successor gets an empty cache', async () => {
  const clock = new ManualClock()
  const memories = new ReplyMemories(() => 0.5)
  const use = { bytes: 1_000_000, worker: 0, thread: 2 }
  const buffer = memories.open(use, clock)!
  memories.open({ ...use, worker: 1, thread: 3 }, clock)
  const [dying, other] = [new ReplyMemory(buffer, 2), memoryStores(1, 10_000, { clock }).stores[0]!]
  other.use(buffer, 3)
  other.put('k', makeCacheEntry(), 0)
  assert.ok(dying.lock.acquire(0))
  assert.notEqual(other.find('h/a', 'k', ASKED), 'uri-miss', 'who reads waits for nobody')
  other.put('late', makeCacheEntry(), 0)
  assert.equal(other.find('h/a', 'late', ASKED), 'uri-miss', 'what is not kept is a miss')
  const forgotten = other.invalidate('h/a')
  memories.workerEnded(0, clock)
  assert.equal(other.find('h/a', 'k', ASKED), 'uri-miss')
  other.put('k', makeCacheEntry(), 1)
  assert.notEqual(other.find('h/a', 'k', ASKED), 'uri-miss')
  clock.advance(5)
  assert.equal(await forgotten, 1)
})

test('a fetch whose thread died is taken over by the next one', async () => {
  const memories = new ReplyMemories(() => 0.5)
  const use = { bytes: 1_000_000, worker: 0, thread: 2 }
  const buffer = memories.open(use, systemClock)!
  memories.open({ ...use, worker: 1, thread: 3 }, systemClock)
  const [dying, other] = [2, 3].map((thread) => new FlightTable(new ReplyMemory(buffer, thread), systemClock, thread))
  assert.notEqual(dying!.begin('k', 60_000), null)
  const own = other!.begin('l', 60_000)
  const flight = other!.status('k')
  if (typeof flight === 'string') assert.fail(flight)
  assert.equal(other!.begin('k', 60_000), null)
  const over = other!.join(flight, 60_000)
  memories.workerEnded(0, systemClock)
  await over
  assert.notEqual(other!.begin('k', 60_000), null)
  assert.deepEqual(other!.status('l'), own, 'those of others remain')
})

test('a memory exists as long as a thread uses it', () => {
  const memories = new ReplyMemories(() => 0.5)
  const use = { bytes: 100_000, worker: 0, thread: 2 }
  const buffer = memories.open(use, systemClock)
  assert.equal(memories.open({ ...use, worker: 1, thread: 3 }, systemClock), buffer)
  memories.close(use)
  assert.equal(memories.open({ ...use, worker: 2, thread: 5 }, systemClock), buffer)
  memories.close({ ...use, worker: 1, thread: 3 })
  memories.close({ ...use, worker: 2, thread: 5 })
  assert.notEqual(memories.open(use, systemClock), buffer)
})

test('stored replies remain for the thread that replaces the only one', () => {
  const memories = new ReplyMemories(() => 0.5)
  const use = { bytes: 1_000_000, worker: 0, thread: 2 }
  const buffer = memories.open(use, systemClock)
  memories.workerEnded(0, systemClock)
  assert.equal(memories.open({ ...use, thread: 3 }, systemClock), buffer)
  memories.workerListens(0)
  memories.close({ ...use, thread: 3 })
  assert.notEqual(memories.open({ ...use, thread: 4 }, systemClock), buffer)
})

test('several memories remain for the thread that replaces the only one', () => {
  const memories = new ReplyMemories(() => 0.5)
  const open = (bytes: number, thread: number) => memories.open({ bytes, worker: 0, thread }, systemClock)
  const before = [open(100_000, 2), open(200_000, 2)]
  memories.workerEnded(0, systemClock)
  open(100_000, 3)
  memories.workerEnded(0, systemClock)
  const after = [open(100_000, 4), open(200_000, 4)]
  assert.deepEqual(
    after.map((memory, i) => memory === before[i]),
    [true, true],
  )
})

test('a memory that no thread uses any more is given back once the worker that died is replaced', () => {
  const memories = new ReplyMemories(() => 0.5)
  const use = { bytes: 1_000_000, worker: 0, thread: 2 }
  const buffer = memories.open(use, systemClock)
  memories.workerEnded(0, systemClock)
  // Its configuration no longer has a cache.
  memories.workerListens(0)
  assert.notEqual(memories.open({ ...use, thread: 4 }, systemClock), buffer)
})

test('a worker that listens keeps the memories that it uses', () => {
  const memories = new ReplyMemories(() => 0.5)
  const use = { bytes: 1_000_000, worker: 0, thread: 2 }
  const buffer = memories.open(use, systemClock)
  memories.workerListens(0)
  memories.workerEnded(0, systemClock)
  assert.equal(memories.open({ ...use, thread: 3 }, systemClock), buffer)
  memories.workerListens(0)
  assert.equal(memories.open({ ...use, worker: 1, thread: 5 }, systemClock), buffer)
})
