import type { Clock } from '../../core/clock.ts'
import { isUnavailable, type Outcome, type OutcomeListener } from '../outcome.ts'
import { Durations } from './durations.ts'
import { type LimitBounds, LimitEstimate, LOOK } from './estimate.ts'
import { type ConcurrencyLimit, SHED } from './limit.ts'
import type { ServiceLoad } from './service-loads.ts'

/** How long an epoch is, in milliseconds. Requests of this one and the one before are work; older ones wait for something else. */
const EPOCH = 1_000
/** Epochs whose requests are counted apart. */
const EPOCHS = 4
/** With fewer of them nothing is learnt. */
const LEAST_SAMPLES = 10
/** Of those that have begun, how many end where no more pile up. */
const SETTLED = 0.8
/** With more that failed or were given up, what they took says nothing of how long the work takes. */
const SICK = 0.1

// Counters.
const NEXT_LOOK = 0
const EPOCH_NOW = 1
const PEAK = 2
const FAILED = 3
/** Counted only until it is known what is usual. */
const BEGUN = 4
const ENDED = 5
const IN_FLIGHT = 6

/**
 * A limit that is found out from how long requests take. It counts those that began within the last one or two seconds: a request
 * that takes longer does not keep the service busy, or is one of so few that the floor has room for them. So nothing that hangs, and
 * no long poll, keeps the others out, and what a worker leaves behind when it dies is forgotten by itself.
 */
export class AdaptiveLimit implements ConcurrencyLimit, OutcomeListener {
  private readonly bounds: LimitBounds
  private readonly clock: Clock
  private readonly counters: Int32Array
  private readonly durations: Durations
  private readonly estimate: LimitEstimate

  constructor(bounds: LimitBounds, { counters, estimate, durations }: ServiceLoad, clock: Clock) {
    this.bounds = bounds
    this.clock = clock
    this.counters = counters
    this.durations = new Durations(durations)
    this.estimate = new LimitEstimate(estimate)
  }

  get value(): number {
    return Math.floor(this.estimate.room(this.bounds))
  }

  admit(share: number): number {
    const { counters } = this
    const room = this.estimate.room(this.bounds) * share
    const before = this.inFlight()
    // Time passes where requests end. Where none do, it has to be looked at here.
    if (before === 0 || before >= room) {
      this.pass()
      if (this.inFlight() >= this.estimate.room(this.bounds) * share) return SHED
    }
    const epoch = counters[EPOCH_NOW]!
    Atomics.add(counters, cellOf(epoch), 1)
    if (this.estimate.usual === 0) Atomics.add(counters, BEGUN, 1)
    return epoch
  }

  release(epoch: number): void {
    const { counters } = this
    if (counters[EPOCH_NOW]! - epoch <= 1) Atomics.sub(counters, cellOf(epoch), 1)
    if (this.estimate.usual === 0) Atomics.add(counters, ENDED, 1)
  }

  ended({ took, streamed, status, fault, reason }: Outcome): void {
    // A body that is still being sent takes as long as its client likes.
    if (streamed) return
    const failed = fault !== 'none' || isUnavailable(status)
    // Who refuses at once is not quick, and who leaves early has not waited.
    if (failed && (took < this.estimate.usual || reason === 'connect' || reason === 'tls')) return
    this.durations.add(took)
    if (failed) Atomics.add(this.counters, FAILED, 1)
    this.pass()
  }

  private inFlight(): number {
    const { counters } = this
    const epoch = counters[EPOCH_NOW]!
    const count = counters[cellOf(epoch)]! + counters[cellOf(epoch - 1)]!
    // Others may write a lower one at the same time: it is an estimate.
    if (count >= counters[PEAK]!) counters[PEAK] = count + 1
    return count
  }

  /** Looks at what has happened if it is time to. One of the workers does. */
  private pass(): void {
    const { counters, clock } = this
    const now = clock.now()
    const look = Math.floor(now / LOOK)
    const next = counters[NEXT_LOOK]!
    if (look < next || Atomics.compareExchange(counters, NEXT_LOOK, next, look + 1) !== next) return
    this.enter(Math.floor(now / EPOCH))
    this.look(now)
  }

  /** Begins another epoch: the cells that count now hold what nobody counts any more. */
  private enter(epoch: number): void {
    const { counters } = this
    const before = counters[EPOCH_NOW]!
    if (epoch === before) return
    Atomics.store(counters, cellOf(epoch), 0)
    if (epoch - before !== 1) Atomics.store(counters, cellOf(epoch - 1), 0)
    Atomics.store(counters, EPOCH_NOW, epoch)
  }

  private look(now: number): void {
    const { counters, durations, estimate, bounds } = this
    const { count } = durations
    const enough = count >= LEAST_SAMPLES
    const peak = counters[PEAK]!
    if (estimate.usual === 0 && (!enough || counters[ENDED]! < SETTLED * counters[BEGUN]!)) {
      // Before anything has begun there is nothing to see.
      if (counters[BEGUN]! > 0) estimate.look(enough ? 0 : peak, bounds)
      durations.takeMedian()
      return this.begin()
    }
    if (!enough) return
    const sick = counters[FAILED]! > SICK * count
    estimate.learn({ now, median: durations.takeMedian(), peak, sick }, bounds)
    this.begin()
  }

  /** Begins another window. */
  private begin(): void {
    const { counters } = this
    counters[PEAK] = 0
    counters[FAILED] = counters[BEGUN] = counters[ENDED] = 0
  }
}

function cellOf(epoch: number): number {
  return IN_FLIGHT + (epoch & (EPOCHS - 1))
}
