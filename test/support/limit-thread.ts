/** A thread that sends requests for every client in turn, that many times, and reports how often each was admitted. */
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../src/core/clock.ts'
import type { Limit } from '../../src/policies/rate-limit/meter.ts'
import { MemoryMeter } from '../../src/policies/rate-limit/memory/memory-meter.ts'
import { SharedTable } from '../../src/policies/rate-limit/memory/table.ts'

/** The data that a thread is started with. */
export interface LimitThreadData {
  readonly buffer: SharedArrayBuffer
  readonly limit: Limit
  readonly clients: readonly string[]
  readonly rounds: number
  /** How far its clock is ahead, in milliseconds. */
  readonly ahead: number
  /** One number: the threads that have yet to arrive before all start at the same time. */
  readonly gate: SharedArrayBuffer
}

const { buffer, limit, clients, rounds, ahead, gate } = workerData as LimitThreadData
const clock = { ...systemClock, now: () => systemClock.now() + ahead }
const meter = new MemoryMeter(new SharedTable(buffer), clock, limit)
const admitted = clients.map(() => 0)

const missing = new Int32Array(gate)
if (Atomics.sub(missing, 0, 1) === 1) Atomics.notify(missing, 0)
for (let left = Atomics.load(missing, 0); left > 0; left = Atomics.load(missing, 0))
  Atomics.wait(missing, 0, left, 5000)
for (let round = 0; round < rounds; round++)
  for (const [i, client] of clients.entries()) if (meter.decide(client, 1).admitted) admitted[i]!++
parentPort!.postMessage(admitted)
