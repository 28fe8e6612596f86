import type { Counter } from '../../src/core/metrics.ts'

/** A counter that tells what it has counted. */
export class TestCounter implements Counter {
  total = 0

  add(amount: number): void {
    this.total += amount
  }
}
