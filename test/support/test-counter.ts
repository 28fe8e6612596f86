import type { Counter } from '../../src/core/metrics.ts'

/** A counter whose count can be read. */
export class TestCounter implements Counter {
  total = 0

  add(amount: number): void {
    this.total += amount
  }
}
