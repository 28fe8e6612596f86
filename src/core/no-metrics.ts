import type { Counter, HeldMetrics, Histogram, Mark, Metrics } from './metrics.ts'

const counter: Counter = { add() {} }
const histogram: Histogram = { observe() {}, observeExample() {} }
const mark: Mark = { set() {} }
const nothing = (): void => {}
const held: HeldMetrics = { counter: () => counter, histogram: () => histogram, release() {} }

/** Metrics that discard everything. */
export const noMetrics: Metrics = {
  counter: () => counter,
  histogram: () => histogram,
  mark: () => mark,
  watch: () => nothing,
  watchAll: () => nothing,
  hold: () => held,
}
