import type { HealthBoard } from '../health/board.ts'
import type { Judge, Judged } from './judge.ts'

/** An instance whose requests wait for at least so long stalls, in milliseconds. */
const LEAST = 1_000
/** And for so many times as long as replies take at most, its own before and those of the others. */
const TIMES = 10

/** What is held against an instance that many requests wait for. */
interface Silence {
  /** Since when nothing has come, in monotonic milliseconds. */
  readonly since: number
  /** What was heard of it, and of the others, at that time. */
  readonly own: number
  readonly others: number
}

/**
 * Finds instances of one service that have stopped to reply while others go on: a process that hangs keeps its connections, so
 * that nothing fails for as long as a time-out lasts. Only requests count that wait for a reply as a whole: one that uploads, a
 * stream that goes on and a tunnel do not. Where replies take their time, as for long polls, those before say so,
 * also where only clients of that instance poll, as they are bound to it.
 */
export class Stalls {
  private readonly judge: Judge
  private readonly instances: readonly Judged[]
  private readonly board: HealthBoard
  private readonly silences = new Map<number, Silence>()

  constructor(judge: Judge, instances: readonly Judged[], board: HealthBoard) {
    this.judge = judge
    this.instances = instances
    this.board = board
  }

  /** Nothing that was seen before counts: nobody has looked at what came meanwhile. */
  forget(): void {
    this.silences.clear()
  }

  /** Looks at all instances; ejects those that stall. */
  look(now: number): void {
    for (const { slot } of this.instances) this.lookAt(slot, now)
  }

  private lookAt(slot: number, now: number): void {
    const { board, silences } = this
    const { replies, ejections } = board
    const waiting = replies.waiting(slot)
    if (waiting < this.judge.options.consecutive || ejections.holds(slot)) {
      if (silences.size > 0) silences.delete(slot)
      return
    }
    const silence = silences.get(slot)
    const own = replies.heard(slot)
    if (silence === undefined || silence.own !== own) {
      silences.set(slot, { since: now, own, others: this.othersOf(slot) })
      return
    }
    const quiet = now - silence.since
    if (quiet < LEAST || quiet < TIMES * this.slowest() || this.othersOf(slot) === silence.others) return
    this.judge.eject(slot, 'stall', waiting, Math.round(quiet), now)
    silences.delete(slot)
  }

  private othersOf(slot: number): number {
    let sum = 0
    for (const { slot: other } of this.instances) if (other !== slot) sum += this.board.replies.heard(other)
    return sum
  }

  private slowest(): number {
    let most = 0
    for (const { slot } of this.instances) most = Math.max(most, this.board.replies.slowestOf(slot))
    return most
  }
}
