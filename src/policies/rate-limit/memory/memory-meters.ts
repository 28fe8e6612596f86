import type { Limit, MeterStore, SyncMeter } from '../meter.ts'
import type { StoreTools } from '../../store-tools.ts'
import { MemoryMeter } from './memory-meter.ts'

/** Counts in the memory of the process. */
export const memoryMeters = {
  name: 'memory',
  open({ process, clock }: StoreTools): (limit: Limit) => SyncMeter {
    return (limit) => new MemoryMeter(process.counts, clock, limit)
  },
} as const satisfies MeterStore
