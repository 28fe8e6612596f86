import type { RequestCounts } from '../health/request-counts.ts'
import { type ConcurrencyLimit, SHED } from './limit.ts'
import type { ServiceLoad } from './service-loads.ts'

/** A limit that is a number: never more, over all workers, and for a moment fewer where several ask for the last place at once, as then none of them may have it. */
export class FixedLimit implements ConcurrencyLimit {
  readonly value: number
  private readonly requests: RequestCounts
  private readonly slot: number

  constructor(value: number, { requests, slot }: ServiceLoad) {
    this.value = value
    this.requests = requests
    this.slot = slot
  }

  admit(share: number): number {
    const { requests, slot } = this
    // Counted first, so that two workers cannot both take the last place.
    requests.begin(slot)
    // Of a small one something is left for every priority.
    if (requests.of(slot) <= Math.max(1, Math.floor(this.value * share))) return 0
    requests.end(slot)
    return SHED
  }

  release(): void {
    this.requests.end(this.slot)
  }
}
