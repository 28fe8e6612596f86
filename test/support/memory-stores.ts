import type { Clock } from '../../src/core/clock.ts'
import { MemoryCacheStore } from '../../src/policies/cache/memory/memory-store.ts'
import { ReplyMemory } from '../../src/policies/cache/memory/reply-memory.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { TestCounter } from './test-counter.ts'

/** Stores of several threads on one memory of that size in bytes, each with a share of it locally. */
export function memoryStores(
  threads: number,
  bytes: number,
  { clock = new ManualClock(), localBytes = bytes / 8 }: { readonly clock?: Clock; readonly localBytes?: number } = {},
) {
  const buffer = ReplyMemory.create(bytes, () => 0.3)
  if (buffer === null) throw new Error(`${bytes} bytes are too few`)
  const evictions = new TestCounter()
  const stores = Array.from({ length: threads }, (_, i) => {
    const store = new MemoryCacheStore({ clock, localBytes, evictions })
    store.use(buffer, i + 1)
    return store
  })
  const memory = new ReplyMemory(buffer, threads + 1)
  return { buffer, stores, evictions, memory, usage: () => memory.usage }
}
