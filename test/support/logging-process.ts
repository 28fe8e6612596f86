/**
 * A process that logs 500 lines of different lengths in each of three worker threads and in the main thread, and then exits without closing
 * the log.
 */
import { isMainThread, threadId, Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { systemClock } from '../../src/core/clock.ts'
import { createLogger } from '../../src/telemetry/logger.ts'

const { log } = createLogger({ level: 'info', format: 'auto', clock: systemClock })

if (isMainThread) {
  const workers = [1, 2, 3].map(() => new Worker(new URL(import.meta.url)))
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
}
for (let i = 0; i < 500; i++) log.info({ threadId, i, filling: 'x'.repeat(i * 7) }, 'Hello')
process.exit(0)
