import type { Failure } from './client.ts'

interface Sample {
  /** When the request was to begin, and how long it took until it was answered or had failed: milliseconds. */
  readonly due: number
  readonly took: number
  readonly failure: Failure
}

/** How many of a kind of requests failed, of how many, and why. */
export interface Failures {
  readonly sent: number
  readonly failed: number
  readonly reasons: Record<string, number>
}

/** What became of the requests of one method. */
export class Tally {
  private readonly samples: Sample[] = []
  private readonly delays: number[] = []

  add(due: number, took: number, failure: Failure): void {
    this.samples.push({ due, took, failure })
  }

  /** One begins so many milliseconds after it was to begin. */
  begun(late: number): void {
    this.delays.push(late)
  }

  /** How late 99 of 100 began at most, in milliseconds: much where the machine has too little time for the load itself. */
  lateness(): number {
    return partOf(this.delays, 0.99)
  }

  /** Counts what failed, by reason. */
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

  /** How long so large a part took at most, in milliseconds; failed ones count with the time until they had. */
  percentile(part: number): number {
    return partOf(
      this.samples.map(({ took }) => took),
      part,
    )
  }

  /** When the first and the last request began that failed; null where none did. */
  failing(): readonly [first: number, last: number] | null {
    const times = this.samples.filter(({ failure }) => failure !== null).map(({ due }) => due)
    if (times.length === 0) return null
    return times.reduce(([first, last], due) => [Math.min(first, due), Math.max(last, due)], [Infinity, -Infinity])
  }

  /** How many were answered well of those that began from one time to another. */
  answered(from: number, to: number): number {
    return this.samples.filter(({ due, failure }) => due >= from && due < to && failure === null).length
  }

  /**
   * How long after `from` it took until all was well again, that is until no half second has less than 97 of 100 requests
   * answered; null where that was not before the end, in milliseconds.
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
