import type { Counter, HeldMetrics, Histogram, Gauge, Metrics } from './metrics.ts'

const counter: Counter = { add() {} }
const histogram: Histogram = { observe() {}, observeExample() {} }
const mark: Gauge = { set() {} }
const nothing = (): void => {}
const held: HeldMetrics = { counter: () => counter, histogram: () => histogram, release() {} }

/** Metrics that discard everything. */
export const noMetrics: Metrics = {
  counter: () => counter,
  histogram: () => histogram,
  gauge: () => mark,
  watch: () => nothing,
  watchAll: () => nothing,
  hold: () => held,
}
