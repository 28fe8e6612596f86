import type { Failure } from './client.ts'

interface Sample {
  /** The scheduled start of the request, and the time until it was answered or had failed, in milliseconds. */
  readonly due: number
  readonly took: number
  readonly failure: Failure
}

/** How many requests of a kind failed, of how many, and why. */
export interface Failures {
  readonly sent: number
  readonly failed: number
  readonly reasons: Record<string, number>
}

/** The outcomes of the requests of one method. */
export class Tally {
  private readonly samples: Sample[] = []
  private readonly delays: number[] = []

  add(due: number, took: number, failure: Failure): void {
    this.samples.push({ due, took, failure })
  }

  /** A request starts that many milliseconds late. */
  begun(late: number): void {
    this.delays.push(late)
  }

  /** The 99th percentile of the delay at the start, in milliseconds: high if the machine is too busy for the load itself. */
  lateness(): number {
    return partOf(this.delays, 0.99)
  }

  /** The failures by reason. */
  failures(): Failures {
    const reasons: Record<string, number> = {}
    let failed = 0
    for (const { failure } of this.samples) {
      if (failure === null) continue
      failed++
      reasons[failure] = (reasons[failure] ?? 0) + 1
    }
    return { sent: this.samples.length, failed, reasons }
  }

  /** The percentile `part` of the durations, in milliseconds; failed requests count with the time until the failure. */
  percentile(part: number): number {
    return partOf(
      this.samples.map(({ took }) => took),
      part,
    )
  }

  /** When the first and the last failed request started; null if none failed. */
  failing(): readonly [first: number, last: number] | null {
    const times = this.samples.filter(({ failure }) => failure !== null).map(({ due }) => due)
    if (times.length === 0) return null
    return times.reduce(([first, last], due) => [Math.min(first, due), Math.max(last, due)], [Infinity, -Infinity])
  }

  /** The number of successful requests among those that started within that time. */
  answered(from: number, to: number): number {
    return this.samples.filter(({ due, failure }) => due >= from && due < to && failure === null).length
  }

  /**
   * The time from `from` until recovery, which means that every later half second has at least 97 of 100 requests answered, in
   * milliseconds; null if that was not reached before the end.
   */
  recovery(from: number): number | null {
    const halves = new Map<number, { sent: number; answered: number }>()
    for (const { due, failure } of this.samples) {
      const half = Math.floor((due - from) / 500)
      if (half < 0) continue
      const counted = halves.get(half) ?? { sent: 0, answered: 0 }
      counted.sent++
      if (failure === null) counted.answered++
      halves.set(half, counted)
    }
    if (halves.size === 0) return null
    const bad = [...halves].filter(([, { sent, answered }]) => answered < sent * 0.97).map(([half]) => half)
    const last = Math.max(-1, ...bad)
    return last === Math.max(...halves.keys()) ? null : (last + 1) * 500
  }
}

function partOf(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}
