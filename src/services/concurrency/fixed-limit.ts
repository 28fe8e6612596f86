import type { RequestCounts } from '../health/request-counts.ts'
import { type ConcurrencyLimit, SHED } from './limit.ts'
import type { ServiceLoad } from './service-loads.ts'

/**
 * A fixed limit: never exceeded across all workers. It may briefly admit fewer requests, when several workers compete for the last place
 * and none of them gets it.
 */
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
    // Counted before the check, so that two workers cannot both take the last place.
    requests.begin(slot)
    // A small limit always leaves room for every priority.
    if (requests.of(slot) <= Math.max(1, Math.floor(this.value * share))) return 0
    requests.end(slot)
    return SHED
  }

  release(): void {
    this.requests.end(this.slot)
  }
}
