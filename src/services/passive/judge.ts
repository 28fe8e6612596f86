import type { HealthBoard } from '../health/board.ts'
import type { Ejection, EjectionReason } from '../health/ejections.ts'
import { SLICES, type Tally } from '../health/reply-counts.ts'
import type { PassiveOptions } from './index.ts'

/** The part of an instance that is judged. */
export interface Judged {
  readonly slot: number
  /** Its share of the requests; 0 for none. */
  readonly weight: number
}

/** What judging takes beside the instances. */
export interface JudgeTools {
  readonly board: HealthBoard
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Whose thread it is: the number of a worker, or one that no worker has. */
  readonly holder: number
}

/** Ejections are shorter by up to so much, at random, so that not all end at once. */
const JITTER = 0.1

/** When the instances of one service are ejected, in one thread. */
export class Judge {
  readonly options: PassiveOptions
  private readonly instances: readonly Judged[]
  private readonly tools: JudgeTools
  /** How many may be ejected at the same time. */
  private readonly most: number

  constructor(options: PassiveOptions, instances: readonly Judged[], tools: JudgeTools) {
    this.options = options
    this.instances = instances
    this.tools = tools
    const count = instances.filter(({ weight }) => weight > 0).length
    // Parts are not exact: 29% of 100 are 28.999…
    this.most = Math.max(1, Math.floor(count * options.most + 1e-9))
  }

  /** The slice of the window that a time belongs to. */
  sliceOf(now: number): number {
    return Math.floor((SLICES * now) / this.options.window) | 0
  }

  /** An instance failed, and it was so many times in a row; `code` says with what. */
  failed(slot: number, row: number, code: number, now: number): void {
    if (this.tools.board.ejections.holds(slot)) return
    if (row >= this.options.consecutive && this.isWorse(slot, now, SLICES, unavailableOf)) {
      this.eject(slot, 'row', row, code, now)
      return
    }
    this.looked(slot, now)
  }

  /**
   * It replied with an error that does not count in a row. As many of the last replies as the rate takes are looked at alone as
   * well: what was before the trouble would hide it until it is out of the window.
   */
  looked(slot: number, now: number): void {
    const { board } = this.tools
    const { volume } = this.options
    if (board.ejections.holds(slot)) return
    const slice = this.sliceOf(now)
    for (let slices = 1; slices <= SLICES; slices++) {
      if (totalOf(board.replies.tally(slot, slice, slices)) < volume) continue
      if (!this.judged(slot, now, slices) && slices < SLICES) this.judged(slot, now, SLICES)
      return
    }
  }

  /** Ejects it if so much of what it replied in the last slices was no good. Whether it was. */
  private judged(slot: number, now: number, slices: number): boolean {
    const tally = this.tools.board.replies.tally(slot, this.sliceOf(now), slices)
    const total = totalOf(tally)
    const failures = failuresOf(tally)
    if (failures < total * this.options.rate || !this.isWorse(slot, now, slices, failuresOf)) return false
    return this.eject(slot, 'rate', Math.round((100 * failures) / total), total, now)
  }

  /**
   * Ejects an instance unless as many are as may be, or it is the last one that can be used. Whether that was done.
   */
  eject(slot: number, reason: EjectionReason, amount: number, of: number, now: number): boolean {
    const { board, random, holder } = this.tools
    const { ejections } = board
    let done = false
    ejections.alone(holder, () => {
      if (ejections.holds(slot) || !this.mayEject(slot)) return
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
      if (board.ejections.holds(other)) ejected++
      if (other !== slot && weight > 0 && board.usable(other)) left = true
    }
    return left && ejected < this.most
  }

  /**
   * Whether the other instances that can be used fail less than half as often in the same slices, beyond what chance does: of few
   * requests it takes much. A service that fails as a whole, and requests that fail wherever they go, are no fault of one instance.
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
    // Where nobody asks the others, as hash, zones and weights may have it, it has only itself to be measured by.
    if (total === 0) return count(own) >= totalOf(own) * this.options.rate
    return (failures + DOUBT) / (total + 2 * DOUBT) < count(own) / (totalOf(own) + 2 * DOUBT) / 2
  }
}

/** So many failures more of the others, and requests without one of its own, are assumed than there were. */
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
