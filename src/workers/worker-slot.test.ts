import assert from 'node:assert/strict'
import test from 'node:test'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { WorkerEnd } from './running-worker.ts'
import { type SlotWorker, WorkerSlot } from './worker-slot.ts'

const ADDRESS = { host: '127.0.0.1', port: 8000 }

test('a slot keeps one copy of each socket, however many were requested, and closes all at the end', async () => {
  let closing = false
  const closed: number[] = []
  const slot = new WorkerSlot(0, {
    log: createMemoryLogger().log,
    clock: new ManualClock(),
    metrics: { counter: () => ({ add() {} }) },
    closing: () => closing,
    run: () => assert.fail('no worker is started'),
    listens() {},
    exited() {},
  })
  const keep = async (fd: number): Promise<void> => {
    slot.keep([ADDRESS], Promise.resolve([{ fd, close: () => void closed.push(fd) }]))
    await new Promise(setImmediate)
  }
  await keep(1)
  await keep(2)
  assert.deepEqual([slot.hasSockets, closed], [true, [1]])
  closing = true
  await keep(3)
  assert.deepEqual([slot.hasSockets, closed], [false, [1, 2, 3]])
})

test('copies follow the listeners: those of a removed address are closed, even if they arrive late', async () => {
  const closed: number[] = []
  const slot = new WorkerSlot(0, {
    log: createMemoryLogger().log,
    clock: new ManualClock(),
    metrics: { counter: () => ({ add() {} }) },
    closing: () => false,
    run: () => assert.fail('no worker is started'),
    listens() {},
    exited() {},
  })
  const copyOf = (fd: number) => ({ fd, close: () => void closed.push(fd) })
  const other = { host: '127.0.0.1', port: 8001 }
  slot.keep([ADDRESS, other], Promise.resolve([copyOf(1), copyOf(2)]))
  await new Promise(setImmediate)
  const late = Promise.withResolvers<ReturnType<typeof copyOf>[]>()
  slot.keep([other], late.promise)
  slot.listenOnly([ADDRESS])
  assert.deepEqual(closed, [2])
  late.resolve([copyOf(3)])
  await new Promise(setImmediate)
  assert.deepEqual([slot.hasSockets, closed], [true, [2, 3]])
  slot.keep([other], Promise.resolve([copyOf(4)]))
  slot.listenOnly([other, ADDRESS])
  await new Promise(setImmediate)
  assert.deepEqual(closed, [2, 3])
})

test('a worker that does not apply a reload and cannot be terminated is replaced anyway, once', async () => {
  const clock = new ManualClock()
  const reasons: string[] = []
  const started: { readonly worker: SlotWorker; readonly end: (end: WorkerEnd) => void; terminated: boolean }[] = []
  const run = (): SlotWorker => {
    const ended = Promise.withResolvers<WorkerEnd>()
    const made = {
      worker: {
        listening: Promise.resolve({ addresses: [ADDRESS], descriptors: [] }),
        ended: ended.promise,
        threadId: started.length,
        terminate: () => (made.terminated = true),
        abandonThread: () => {},
      },
      end: ended.resolve,
      terminated: false,
    }
    started.push(made)
    return made.worker
  }
  const slot = new WorkerSlot(0, {
    log: createMemoryLogger().log,
    clock,
    metrics: { counter: (_name, labels) => ({ add: () => void reasons.push(...Object.values<string>(labels)) }) },
    closing: () => false,
    run,
    listens() {},
    exited() {},
  })
  await slot.start()
  const [first] = started
  slot.exchange(first!.worker)
  assert.ok(first!.terminated)
  clock.advance(4_999)
  await new Promise(setImmediate)
  assert.deepEqual([slot.worker, started.length], [first!.worker, 1])
  clock.advance(1)
  await slot.filled
  assert.deepEqual([slot.worker, started.length, reasons], [started[1]!.worker, 2, ['reload']])
  // It comes back after all.
  first!.end({ error: null, code: 1, listened: true })
  await new Promise(setImmediate)
  assert.deepEqual([slot.worker, started.length, reasons], [started[1]!.worker, 2, ['reload']])
})
