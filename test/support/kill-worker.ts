/**
 * Preloaded into a gateway under test: SIGUSR2 kills the worker thread that was started first, as a crash would. With STOP_AT_WORKER=n, the
 * process gets SIGTERM at the moment its nth worker begins to start, and with KILL_AT_WORKER=n the first one dies at that moment. With
 * HANG_UP_AT_READING, it gets SIGHUP when it first reads its configuration.
 */
import { subscribe } from 'node:diagnostics_channel'
import { isMainThread, type Worker } from 'node:worker_threads'

if (isMainThread) {
  const workers: Worker[] = []
  let started = 0
  let hungUp = process.env['HANG_UP_AT_READING'] === undefined
  subscribe('worker_threads', (message) => {
    const { worker } = message as { worker: Worker }
    if (!hungUp) process.kill(process.pid, 'SIGHUP')
    hungUp = true
    // Not the thread that reads the configuration.
    if (worker.threadName?.startsWith('worker-') !== true) return
    workers.push(worker)
    started++
    if (started === Number(process.env['STOP_AT_WORKER'])) process.kill(process.pid, 'SIGTERM')
    if (started === Number(process.env['KILL_AT_WORKER'])) void workers.shift()?.terminate()
  })
  process.on('SIGUSR2', () => void workers.shift()?.terminate())
}
