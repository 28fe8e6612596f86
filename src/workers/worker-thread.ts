import { Worker } from 'node:worker_threads'

/** Starts a worker thread with a heap limit in megabytes; null for V8's default. The thread waits for instructions. */
export function beginThread(number: number, heap: number | null): Worker {
  // Matches the extension of this file: TypeScript in a checkout, JavaScript once published.
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
  const limits = heap === null ? {} : { resourceLimits: { maxOldGenerationSizeMb: heap } }
  return new Worker(new URL(file, import.meta.url), { name: `worker-${number}`, ...limits })
}
