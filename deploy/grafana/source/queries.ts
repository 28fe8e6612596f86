import type { Query } from './panels.ts'

/** How much the counter grows a second, summed by the labels. */
export function rate(counter: string, labels: string, ...by: readonly string[]): string {
  return `sum${grouped(by)}(rate(${counter}{${labels}}[$__rate_interval]))`
}

/** The same without what does not happen: of many kinds of failure few are to be seen at a time. */
export function rateAbove0(counter: string, labels: string, ...by: readonly string[]): string {
  return `${rate(counter, labels, ...by)} > 0`
}

/** The quantile of a histogram, by the labels. */
export function quantile(part: number, histogram: string, labels: string, ...by: readonly string[]): string {
  return `histogram_quantile(${part}, ${rate(`${histogram}_bucket`, labels, ...by, 'le')})`
}

/** Half, most and nearly all of the requests: 50%, 95% and 99%. */
export function quantiles(histogram: string, labels: string): Query[] {
  return [0.5, 0.95, 0.99].map((part) => ({
    expr: quantile(part, histogram, labels),
    legend: `${part * 100}%`,
    exemplar: part === 0.99,
  }))
}

function grouped(by: readonly string[]): string {
  return by.length === 0 ? '' : ` by (${by.join(', ')}) `
}
