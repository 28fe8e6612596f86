import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { heapLimit, memoryLimit } from '../runtime/memory.ts'
import { automaticWorkers, cpuQuota } from './cpu-quota.ts'
import { beginThread } from './worker-thread.ts'

/** What the heap of a worker may take where the configuration does not say otherwise, in megabytes; null for what V8 lets it take. */
export function likelyHeap(): number | null {
  const limit = memoryLimit(undefined)
  return limit === null ? null : heapLimit(limit, automaticWorkers(availableParallelism(), cpuQuota()))
}

/** The thread of the first worker, which loads its code while it is not known yet what it is to do. Keeps no process alive. */
export class EarlyThread {
  private readonly heap: number | null
  private thread: Worker | null
  private readonly lose = (): void => void (this.thread = null)

  /** `heap` is what its heap may take, in megabytes; null for what V8 lets it take. */
  constructor(heap: number | null) {
    this.heap = heap
    this.thread = beginThread(0, heap)
    this.thread.on('error', this.lose)
    this.thread.on('exit', this.lose)
    this.thread.unref()
  }

  /** The thread, once, or null where it is not to be had, or is not as it has to be: then it is ended. */
  take(heap: number | null): Worker | null {
    const { thread } = this
    this.thread = null
    if (thread === null) return null
    if (heap !== this.heap) {
      void thread.terminate()
      return null
    }
    thread.off('error', this.lose)
    thread.off('exit', this.lose)
    thread.ref()
    return thread
  }
}
