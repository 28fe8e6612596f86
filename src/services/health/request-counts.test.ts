import assert from 'node:assert/strict'
import test from 'node:test'
import { Worker } from 'node:worker_threads'
import * as fc from 'fast-check'
import { HealthBoard } from './board.ts'

const WORKERS = 3
const SLOTS = 5

test('requests in flight are summed over workers, by slot', () => {
  const board = HealthBoard.create(SLOTS, WORKERS)
  const others = [1, 2].map((number) => new HealthBoard(board.buffer, number).requests)
  board.requests.begin(4)
  others[0]!.begin(4)
  others[1]!.begin(3)
  others[1]!.begin(4)
  others[0]!.end(4)
  assert.deepEqual(
    Array.from({ length: SLOTS }, (_, slot) => board.requests.of(slot)),
    [0, 0, 0, 1, 2],
  )
})

test('counts and states do not affect each other', () => {
  const board = HealthBoard.create(SLOTS, WORKERS)
  const { version } = board
  for (let slot = 0; slot < SLOTS; slot++) new HealthBoard(board.buffer, WORKERS - 1).requests.begin(slot)
  assert.deepEqual([board.version, board.size], [version, SLOTS])
  for (let slot = 0; slot < SLOTS; slot++) {
    assert.deepEqual([board.state(slot), board.drained(slot)], ['unknown', false])
    board.set(slot, 'unhealthy')
    board.drain(slot, true)
    assert.equal(board.requests.of(slot), 1)
  }
})

const step = fc.record({
  worker: fc.nat(WORKERS - 1),
  slot: fc.nat(SLOTS - 1),
  what: fc.constantFrom('begin' as const, 'begin' as const, 'end' as const, 'die' as const),
})

test('property: the sum is the number of requests in flight, even after workers die', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const board = HealthBoard.create(SLOTS, WORKERS)
      const workers = Array.from({ length: WORKERS }, (_, number) => new HealthBoard(board.buffer, number).requests)
      const model = workers.map(() => Array.from({ length: SLOTS }, () => 0))
      for (const { worker, slot, what } of steps) {
        const own = model[worker]!
        if (what === 'begin') {
          workers[worker]!.begin(slot)
          own[slot]!++
        }
        if (what === 'end' && own[slot]! > 0) {
          workers[worker]!.end(slot)
          own[slot]!--
        }
        if (what === 'die') {
          board.requests.forget(worker)
          own.fill(0)
        }
      }
      for (let slot = 0; slot < SLOTS; slot++)
        assert.equal(
          board.requests.of(slot),
          model.reduce((sum, own) => sum + own[slot]!, 0),
        )
    }),
  )
})

test('concurrent threads lose no counts, and the counts of a dead one are removed', async () => {
  const board = HealthBoard.create(2, 3)
  const script = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.module).then(({ HealthBoard }) => {
      const { requests } = new HealthBoard(workerData.buffer, workerData.number)
      for (let i = 0; i < 100_000; i++) {
        requests.begin(0)
        requests.begin(1)
        requests.end(0)
      }
      parentPort.postMessage('done')
    })`
  const module = import.meta.resolve('./board.ts')
  const threads = [1, 2].map(
    (number) => new Worker(script, { eval: true, workerData: { module, buffer: board.buffer, number } }),
  )
  await Promise.all(
    threads.map((thread) => new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject))),
  )
  assert.deepEqual([board.requests.of(0), board.requests.of(1)], [0, 200_000])
  await Promise.all(threads.map((thread) => thread.terminate()))
  board.requests.forget(1)
  assert.equal(board.requests.of(1), 100_000)
  board.requests.forget(2)
  assert.equal(board.requests.of(1), 0)
})
