import assert from 'node:assert/strict'
import test from 'node:test'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { WorkerSlot } from './worker-slot.ts'

test('a slot keeps one copy of each socket, whoever asked for more, and none in the end', async () => {
  let closing = false
  const closed: number[] = []
  const slot = new WorkerSlot(0, {
    log: createMemoryLogger().log,
    clock: new ManualClock(),
    metrics: { counter: () => ({ add() {} }) },
    closing: () => closing,
    run: () => assert.fail('no worker is started'),
    listens() {},
    gone() {},
  })
  const keep = async (fd: number): Promise<void> => {
    slot.keep(Promise.resolve([{ fd, close: () => void closed.push(fd) }]))
    await new Promise(setImmediate)
  }
  await keep(1)
  await keep(2)
  assert.deepEqual([slot.holds, closed], [true, [1]])
  closing = true
  await keep(3)
  assert.deepEqual([slot.holds, closed], [false, [1, 2, 3]])
})
