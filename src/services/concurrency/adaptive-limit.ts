import type { Clock } from '../../core/clock.ts'
import { isUnavailable, type Outcome, type OutcomeListener } from '../outcome.ts'
import { Durations } from './durations.ts'
import { type LimitBounds, LimitEstimate, LOOK } from './estimate.ts'
import { type ConcurrencyLimit, SHED } from './limit.ts'
import type { ServiceLoad } from './service-loads.ts'

/**
 * Length of an epoch, in milliseconds. Requests that began in this epoch or the previous one count as work; older ones are assumed to be
 * waiting for something else.
 */
const EPOCH = 1_000
/** Number of epochs whose requests are counted separately. */
const EPOCHS = 4
/** Minimum number of samples to learn from. */
const MIN_SAMPLES = 10
/** Fraction of the started requests that must have ended for the load to be considered stable. */
const SETTLED = 0.8
/** If more than this fraction failed or were abandoned, durations say nothing about how long the work takes. */
const SICK = 0.1

// Counters.
const NEXT_LOOK = 0
const EPOCH_NOW = 1
const PEAK = 2
const FAILED = 3
/** Counted only until the usual duration is known. */
const BEGUN = 4
const ENDED = 5
const IN_FLIGHT = 6

/**
 * A limit derived from request durations. It counts the requests that began within the last one or two seconds: a longer request either
 * does not keep the service busy, or is one of so few that the floor has room for them. Hanging requests and long polls therefore do not
 * keep others out, and counts left behind by a dead worker expire by themselves.
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
    // The window normally advances when requests end. If none do, it has to be checked here.
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
    // The duration depends on how fast the client sends the body.
    if (streamed) return
    const failed = fault !== 'none' || isUnavailable(status)
    // A fast failure does not make the service fast, and a client that left early did not wait.
    if (failed && (took < this.estimate.usual || reason === 'connect' || reason === 'tls')) return
    this.durations.add(took)
    if (failed) Atomics.add(this.counters, FAILED, 1)
    this.pass()
  }

  private inFlight(): number {
    const { counters } = this
    const epoch = counters[EPOCH_NOW]!
    const count = counters[cellOf(epoch)]! + counters[cellOf(epoch - 1)]!
    // A concurrent worker may write a lower value; it is only an estimate.
    if (count >= counters[PEAK]!) counters[PEAK] = count + 1
    return count
  }

  /** Evaluates the window if it is due. Only one of the workers does so. */
  private pass(): void {
    const { counters, clock } = this
    const now = clock.now()
    const look = Math.floor(now / LOOK)
    const next = counters[NEXT_LOOK]!
    if (look < next || Atomics.compareExchange(counters, NEXT_LOOK, next, look + 1) !== next) return
    this.enter(Math.floor(now / EPOCH))
    this.look(now)
  }

  /** Starts a new epoch and clears its cells, whose previous content is no longer counted. */
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
    const enough = count >= MIN_SAMPLES
    const peak = counters[PEAK]!
    if (estimate.usual === 0 && (!enough || counters[ENDED]! < SETTLED * counters[BEGUN]!)) {
      // Before the first request has begun, there is nothing to evaluate.
      if (counters[BEGUN]! > 0) estimate.look(enough ? 0 : peak, bounds)
      durations.takeMedian()
      return this.begin()
    }
    if (!enough) return
    const failing = counters[FAILED]! > SICK * count
    estimate.learn({ now, median: durations.takeMedian(), peak, failing }, bounds)
    this.begin()
  }

  /** Starts a new window. */
  private begin(): void {
    const { counters } = this
    counters[PEAK] = 0
    counters[FAILED] = counters[BEGUN] = counters[ENDED] = 0
  }
}

function cellOf(epoch: number): number {
  return IN_FLIGHT + (epoch & (EPOCHS - 1))
}
