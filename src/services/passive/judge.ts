import type { HealthBoard } from '../health/board.ts'
import type { Ejection, EjectionReason } from '../health/ejections.ts'
import { SLICES, type Tally } from '../health/reply-counts.ts'
import type { PassiveOptions } from './index.ts'

/** The properties of an instance needed for ejection decisions. */
export interface Judged {
  readonly slot: number
  /** Share of the requests; 0 for none. */
  readonly weight: number
}

/** The dependencies of ejection decisions. */
export interface JudgeTools {
  readonly board: HealthBoard
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Identifies the thread: the number of a worker, or a number that no worker has. */
  readonly holder: number
}

/** Ejections are randomly shortened by up to this fraction, so that they do not all end at once. */
const JITTER = 0.1

/** Decides when the instances of one service are ejected, in one thread. */
export class Judge {
  readonly options: PassiveOptions
  private readonly instances: readonly Judged[]
  private readonly tools: JudgeTools
  /** Maximum number of instances ejected at the same time. */
  private readonly most: number

  constructor(options: PassiveOptions, instances: readonly Judged[], tools: JudgeTools) {
    this.options = options
    this.instances = instances
    this.tools = tools
    const count = instances.filter(({ weight }) => weight > 0).length
    // Floating-point products are inexact: 29% of 100 is 28.999…
    this.most = Math.max(1, Math.floor(count * options.most + 1e-9))
  }

  /** The slice of the window that a time belongs to. */
  sliceOf(now: number): number {
    return Math.floor((SLICES * now) / this.options.window) | 0
  }

  /** An instance failed for the `row`th time in a row; `code` identifies the failure. */
  failed(slot: number, row: number, code: number, now: number): void {
    if (this.tools.board.ejections.isEjected(slot)) return
    if (row >= this.options.consecutive && this.isWorse(slot, now, SLICES, unavailableOf)) {
      this.eject(slot, 'row', row, code, now)
      return
    }
    this.judgeRecent(slot, now)
  }

  /**
   * The instance replied with an error that does not count as a consecutive failure. The most recent replies, as many as the rate requires,
   * are also judged on their own: otherwise, replies from before the trouble would hide it until they leave the window.
   */
  judgeRecent(slot: number, now: number): void {
    const { board } = this.tools
    const { volume } = this.options
    if (board.ejections.isEjected(slot)) return
    const slice = this.sliceOf(now)
    for (let slices = 1; slices <= SLICES; slices++) {
      if (totalOf(board.replies.tally(slot, slice, slices)) < volume) continue
      if (!this.judged(slot, now, slices) && slices < SLICES) this.judged(slot, now, SLICES)
      return
    }
  }

  /** Ejects the instance if its failure rate in the last slices is too high. Returns whether it did. */
  private judged(slot: number, now: number, slices: number): boolean {
    const tally = this.tools.board.replies.tally(slot, this.sliceOf(now), slices)
    const total = totalOf(tally)
    const failures = failuresOf(tally)
    if (failures < total * this.options.rate || !this.isWorse(slot, now, slices, failuresOf)) return false
    return this.eject(slot, 'rate', Math.round((100 * failures) / total), total, now)
  }

  /** Ejects an instance, unless the maximum is reached or it is the last usable one. Returns whether it did. */
  eject(slot: number, reason: EjectionReason, amount: number, of: number, now: number): boolean {
    const { board, random, holder } = this.tools
    const { ejections } = board
    let done = false
    ejections.alone(holder, () => {
      if (ejections.isEjected(slot) || !this.mayEject(slot)) return
      const { eject, longest } = this.options
      const times = ejections.timesAt(slot, now, eject)
      const time = Math.min(longest, eject * times) * (1 - JITTER * random())
      const ejection: Ejection = { reason, since: now, until: now + time, times, amount, of }
      ejections.begin(slot, ejection)
      board.replies.clear(slot)
      done = true
    })
    return done
  }

  private mayEject(slot: number): boolean {
    const { board } = this.tools
    let ejected = 0
    let left = false
    for (const { slot: other, weight } of this.instances) {
      if (board.ejections.isEjected(other)) ejected++
      if (other !== slot && weight > 0 && board.usable(other)) left = true
    }
    return left && ejected < this.most
  }

  /**
   * Whether the other usable instances fail less than half as often in the same slices, by more than chance would explain: with few
   * requests, the difference must be large. If the service fails as a whole, or requests fail wherever they go, no single instance is to
   * blame.
   */
  private isWorse(slot: number, now: number, slices: number, count: (tally: Tally) => number): boolean {
    const { board } = this.tools
    const slice = this.sliceOf(now)
    let total = 0
    let failures = 0
    for (const other of this.instances) {
      if (other.slot === slot || !board.usable(other.slot)) continue
      const tally = board.replies.tally(other.slot, slice, slices)
      total += totalOf(tally)
      failures += count(tally)
    }
    const own = board.replies.tally(slot, slice, slices)
    // If the other instances get no requests, because of hashing, zones or weights, the instance is judged on its own.
    if (total === 0) return count(own) >= totalOf(own) * this.options.rate
    return (failures + DOUBT) / (total + 2 * DOUBT) < count(own) / (totalOf(own) + 2 * DOUBT) / 2
  }
}

/** Prior for small samples: this many extra failures of the others, and requests without a failure of its own, are assumed. */
const DOUBT = 2

function totalOf({ good, errors, unavailable }: Tally): number {
  return good + errors + unavailable
}

function failuresOf({ errors, unavailable }: Tally): number {
  return errors + unavailable
}

function unavailableOf({ unavailable }: Tally): number {
  return unavailable
}
