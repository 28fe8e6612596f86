import type { HealthBoard } from '../health/board.ts'
import type { Judge, Judged } from './judge.ts'

/** Minimum time without a reply before an instance counts as stalled, in milliseconds. */
const MIN = 1_000
/** In addition, the time must exceed the maximum response time, its own and that of the others, by this factor. */
const TIMES = 10
/** Stands for the counters of the others once they have replied: it equals no sum of them. */
const REPLIED = Number.NaN

/** An instance with many waiting requests that has been silent. */
interface Silence {
  /** Since when nothing has been received, in monotonic milliseconds. */
  readonly since: number
  /** The reply counters of the instance and of the others at that time. */
  readonly own: number
  readonly others: number
}

/**
 * Finds instances of one service that have stopped replying while others continue: a hung process keeps its connections open, so nothing
 * fails until a timeout. Only requests that wait for the head of a reply count: uploads, ongoing streams and tunnels do not. Slow replies
 * such as long polls are recognized by earlier response times, even if all of the polling clients are bound to that instance.
 */
export class Stalls {
  private readonly judge: Judge
  private readonly instances: readonly Judged[]
  private readonly board: HealthBoard
  private readonly silences = new Map<number, Silence>()

  /** Continues the observations of `before`, the same service with its previous options and instances. */
  constructor(judge: Judge, instances: readonly Judged[], board: HealthBoard, before: Stalls | null = null) {
    this.judge = judge
    this.instances = instances
    this.board = board
    for (const { slot } of instances) {
      const silence = before?.silences.get(slot)
      if (before === null || silence === undefined) continue
      // Counters of other instances may have joined or left the sum, which is not a reply.
      const others = before.othersOf(slot) === silence.others ? this.othersOf(slot) : REPLIED
      this.silences.set(slot, { ...silence, others })
    }
  }

  /** Discards all observations, after a period without checks. */
  forget(): void {
    this.silences.clear()
  }

  /** Checks all instances and ejects stalled ones. */
  look(now: number): void {
    for (const { slot } of this.instances) this.lookAt(slot, now)
  }

  private lookAt(slot: number, now: number): void {
    const { board, silences } = this
    const { replies, ejections } = board
    const waiting = replies.waiting(slot)
    if (waiting < this.judge.options.consecutive || ejections.isEjected(slot)) {
      if (silences.size > 0) silences.delete(slot)
      return
    }
    const silence = silences.get(slot)
    const own = replies.replyVersion(slot)
    if (silence === undefined || silence.own !== own) {
      silences.set(slot, { since: now, own, others: this.othersOf(slot) })
      return
    }
    const quiet = now - silence.since
    if (quiet < MIN || quiet < TIMES * this.slowest() || this.othersOf(slot) === silence.others) return
    this.judge.eject(slot, 'stall', waiting, Math.round(quiet), now)
    silences.delete(slot)
  }

  private othersOf(slot: number): number {
    let sum = 0
    for (const { slot: other } of this.instances) if (other !== slot) sum += this.board.replies.replyVersion(other)
    return sum
  }

  private slowest(): number {
    let most = 0
    for (const { slot } of this.instances) most = Math.max(most, this.board.replies.slowestOf(slot))
    return most
  }
}
