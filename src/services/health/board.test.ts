import assert from 'node:assert/strict'
import test from 'node:test'
import { Worker } from 'node:worker_threads'
import { HealthBoard } from './board.ts'

test('slots start as unknown, which counts as usable', () => {
  const board = HealthBoard.create(2)
  assert.equal(board.size, 2)
  assert.equal(board.state(0), 'unknown')
  assert.equal(board.state(1), 'unknown')
  assert.equal(board.usable(1), true)
})

test('a slot waiting for its first check is not usable', () => {
  const board = HealthBoard.create(1)
  board.set(0, 'pending')
  assert.deepEqual([board.state(0), board.usable(0)], ['pending', false])
  board.set(0, 'healthy')
  assert.equal(board.usable(0), true)
})

test('there is room for instances added by reloads', () => {
  assert.deepEqual([HealthBoard.for(0, 1).size, HealthBoard.for(20_000, 4).size], [65_536, 80_000])
})

test('writing a slot does not affect its neighbors', () => {
  const board = HealthBoard.create(3)
  board.set(1, 'unhealthy')
  assert.deepEqual(
    [0, 1, 2].map((slot) => board.state(slot)),
    ['unknown', 'unhealthy', 'unknown'],
  )
  assert.deepEqual(
    [0, 1, 2].map((slot) => board.usable(slot)),
    [true, false, true],
  )
  board.set(1, 'healthy')
  assert.equal(board.usable(1), true)
})

test('a drained slot is not usable whatever its state, which still changes', () => {
  const board = HealthBoard.create(2)
  board.set(0, 'healthy')
  board.drain(0, true)
  assert.deepEqual([board.drained(0), board.usable(0), board.state(0)], [true, false, 'healthy'])
  assert.deepEqual([board.drained(1), board.usable(1)], [false, true])
  board.set(0, 'unhealthy')
  board.set(0, 'healthy')
  assert.deepEqual([board.drained(0), board.usable(0)], [true, false])
  board.drain(0, false)
  assert.deepEqual([board.drained(0), board.usable(0), board.state(0)], [false, true, 'healthy'])
})

test('the version changes only if draining a slot changes something', () => {
  const board = HealthBoard.create(1)
  const versions = [board.version]
  for (const drained of [true, true, false, false]) {
    board.drain(0, drained)
    versions.push(board.version)
  }
  const moved = versions.slice(1).map((version, i) => version !== versions[i])
  assert.deepEqual(moved, [true, false, true, false])
})

test('the version changes only with the state', () => {
  const board = HealthBoard.create(2)
  const versions = [board.version]
  for (const state of ['healthy', 'healthy', 'unhealthy', 'unhealthy', 'unknown'] as const) {
    board.set(0, state)
    versions.push(board.version)
  }
  const moved = versions.slice(1).map((version, i) => version !== versions[i])
  assert.deepEqual(moved, [true, false, true, false, true])
})

test('boards on the same buffer share their state', () => {
  const board = HealthBoard.create(1)
  const other = new HealthBoard(board.buffer)
  board.set(0, 'unhealthy')
  assert.equal(other.state(0), 'unhealthy')
  assert.equal(other.version, board.version)
})

test('a worker thread sees what the main thread wrote', async () => {
  const board = HealthBoard.create(2)
  board.set(1, 'unhealthy')
  const script = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.module).then(({ HealthBoard }) => {
      const board = new HealthBoard(workerData.buffer)
      parentPort.postMessage([board.state(0), board.state(1), board.version])
    })`
  const worker = new Worker(script, {
    eval: true,
    workerData: { module: import.meta.resolve('./board.ts'), buffer: board.buffer },
  })
  const seen = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await worker.terminate()
  assert.deepEqual(seen, ['unknown', 'unhealthy', board.version])
})
