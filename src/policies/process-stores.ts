import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { SharedTable } from './rate-limit/memory/table.ts'
import { watchEvictions } from './rate-limit/memory/watch-evictions.ts'

/** What another thread opens them with. */
export interface SharedMemory {
  readonly counts: SharedArrayBuffer
}

/** What policies keep once in a process, in memory that its threads share: the counts of rate limits. */
export class ProcessStores {
  readonly counts: SharedTable

  /** Opens those of another thread. */
  constructor({ counts }: SharedMemory) {
    this.counts = new SharedTable(counts)
  }

  /** Makes them, with room for so many counts. */
  static create(entries: number, random?: () => number): ProcessStores {
    return new ProcessStores({ counts: SharedTable.create(entries, random).buffer })
  }

  /** To be handed to other threads. */
  get memory(): SharedMemory {
    return { counts: this.counts.buffer }
  }

  /** Has what is the same for all threads read at each scrape: for the main thread alone, as readings are added up. */
  watch(metrics: Metrics): void {
    metrics.watch('sallyport_rate_limit_table_evictions_total', {}, () => this.counts.evictions)
  }

  /** Warns where there is no room left, until the returned function is called: for one thread of the process. */
  warn(clock: Clock, log: Logger): () => void {
    return watchEvictions(this.counts, clock, log)
  }
}
