import { Worker } from 'node:worker_threads'

/** Begins the thread of a worker, whose heap may take so many megabytes; null for what V8 lets it take. It waits to be told what to do. */
export function beginThread(number: number, heap: number | null): Worker {
  // The running file says how workers are written: TypeScript in a checkout, JavaScript once published.
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
  const limits = heap === null ? {} : { resourceLimits: { maxOldGenerationSizeMb: heap } }
  return new Worker(new URL(file, import.meta.url), { name: `worker-${number}`, ...limits })
}
