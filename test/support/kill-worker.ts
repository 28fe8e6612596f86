/** Preloaded into a gateway under test: SIGUSR2 kills the worker thread that was started first, as a crash would. */
import { subscribe } from 'node:diagnostics_channel'
import { isMainThread, Worker } from 'node:worker_threads'

if (isMainThread) {
  const workers: Worker[] = []
  subscribe('worker_threads', (message) => {
    const { worker } = message as { worker: Worker }
    workers.push(worker)
  })
  process.on('SIGUSR2', () => void workers.shift()?.terminate())
}
