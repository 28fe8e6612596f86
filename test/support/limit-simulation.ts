import { createLimit } from '../../src/services/concurrency/create-limit.ts'
import type { ConcurrencyOptions } from '../../src/services/concurrency/index.ts'
import { SHARES, SHED } from '../../src/services/concurrency/limit.ts'
import type { Priority } from '../../src/services/concurrency/priority.ts'
import { HealthBoard } from '../../src/services/health/board.ts'
import type { Outcome } from '../../src/services/outcome.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { makeOutcome, someInstance } from './outcome.ts'
import { seeded } from './simulation.ts'

/** Random number generators: uniform, exponential with a mean, lognormal with a median. */
export interface Draw {
  uniform(): number
  exponential(mean: number): number
  lognormal(median: number, sigma: number): number
}

/** A service with four instances behind a gateway with two workers; times are in milliseconds. */
export interface LoadSimulation {
  readonly concurrency: ConcurrencyOptions
  /** The number of requests that one instance serves at the same time; others wait there. */
  readonly slots: number
  /** The duration of a request, when it starts. */
  readonly time: (now: number, draw: Draw) => number
  /** Requests per millisecond. */
  readonly rate: (now: number) => number
  readonly duration: number
  /** The timeout after which a request is abandoned, which the instance does not notice. Default none. */
  readonly timeout?: number
  /** Further attempts for each request, without a retry budget. */
  readonly retries?: number
  readonly priority?: (draw: Draw) => Priority
  readonly seed?: number
}

/** The outcomes of the requests that started within one second. */
export interface Second {
  asked: number
  answered: number
  shed: number
}

/** The result. */
export class SimulatedLoad {
  readonly seconds: Second[] = []
  readonly latencies: number[] = []
  readonly priorities: Record<Priority, { asked: number; shed: number }> = {
    high: { asked: 0, shed: 0 },
    normal: { asked: 0, shed: 0 },
    low: { asked: 0, shed: 0 },
  }

  second(now: number): Second {
    return (this.seconds[Math.floor(now / 1000)] ??= { asked: 0, answered: 0, shed: 0 })
  }

  /** Replies per second, in those seconds. */
  answered(from: number, to: number): number {
    return this.sum(from, to, 'answered') / (to - from)
  }

  /** The percentage of requests shed in those seconds. */
  shed(from = 0, to = this.seconds.length): number {
    return (100 * this.sum(from, to, 'shed')) / this.sum(from, to, 'asked')
  }

  /** The percentile `part` of the reply times. */
  percentile(part: number): number {
    return this.latencies.toSorted((a, b) => a - b)[Math.floor(this.latencies.length * part)]!
  }

  private sum(from: number, to: number, what: keyof Second): number {
    return this.seconds.slice(from, to).reduce((sum, second) => sum + (second?.[what] ?? 0), 0)
  }
}

/** Deterministic. */
export function simulateLoad(simulation: LoadSimulation): SimulatedLoad {
  const { concurrency, slots, time, rate, duration, timeout = Infinity, retries = 0, seed = 5 } = simulation
  const clock = new ManualClock()
  const draw = drawing(seeded(seed))
  const servers = Array.from({ length: 4 }, () => new Server(clock, slots, () => time(clock.now(), draw)))
  const board = HealthBoard.create(1, 2)
  const limits = [0, 1].map((worker) =>
    createLimit(concurrency, new HealthBoard(board.buffer, worker).loads.of('service'), clock),
  )
  const result = new SimulatedLoad()
  const ask = (): void => {
    const start = clock.now()
    const limit = limits[Math.floor(draw.uniform() * limits.length)]!
    const priority = simulation.priority?.(draw) ?? 'normal'
    const admitted = limit === null ? 0 : limit.admit(SHARES[priority])
    result.second(start).asked++
    result.priorities[priority].asked++
    if (admitted === SHED) {
      result.second(start).shed++
      result.priorities[priority].shed++
      return
    }
    const attempt = (left: number): void => {
      const began = clock.now()
      const server = servers.reduce((best, each) => (each.load < best.load ? each : best))
      const end = (failed: boolean): void => {
        calledOff()
        job.over = true
        limit?.ended?.(outcomeOf(clock.now() - began, failed))
        if (failed && left > 0) return void clock.after(draw.uniform() * 50, () => attempt(left - 1))
        limit?.release(admitted)
        if (failed) return
        result.second(clock.now()).answered++
        result.latencies.push(clock.now() - start)
      }
      const job = { over: false, done: () => end(false) }
      const calledOff = timeout === Infinity ? () => true : clock.after(timeout, () => end(true))
      server.serve(job)
    }
    attempt(retries)
  }
  const arrive = (): void => {
    ask()
    if (clock.now() < duration) clock.after(draw.exponential(1 / rate(clock.now())), arrive)
  }
  arrive()
  clock.advance(duration + 30_000)
  return result
}

function outcomeOf(took: number, failed: boolean): Outcome {
  if (!failed) return makeOutcome(someInstance, { took })
  return makeOutcome(someInstance, { took, status: 0, fault: 'instance', reason: 'timeout' })
}

function drawing(uniform: () => number): Draw {
  return {
    uniform,
    exponential: (mean) => -mean * Math.log(1 - uniform()),
    lognormal: (median, sigma) =>
      median * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())),
  }
}

interface Job {
  over: boolean
  readonly done: () => void
}

class Server {
  load = 0
  private readonly clock: ManualClock
  private readonly time: () => number
  private free: number
  private readonly waiting: Job[] = []
  private first = 0

  constructor(clock: ManualClock, slots: number, time: () => number) {
    this.clock = clock
    this.time = time
    this.free = slots
  }

  serve(job: Job): void {
    this.load++
    if (this.free > 0) this.start(job)
    else this.waiting.push(job)
  }

  private start(job: Job): void {
    this.free--
    this.clock.after(this.time(), () => {
      this.free++
      this.load--
      const next = this.waiting[this.first]
      if (next !== undefined) {
        this.first++
        this.start(next)
      }
      // Abandoning a request does not remove it.
      if (!job.over) job.done()
    })
  }
}
