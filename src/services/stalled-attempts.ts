import type { Deadlines, Timed } from '../http/deadlines.ts'
import type { HealthBoard } from './health/board.ts'

/** An attempt waiting for its instance: a node in the linked list of all of them. */
export interface WaitingAttempt {
  readonly instance: { readonly slot: number }
  prior: WaitingAttempt | null
  following: WaitingAttempt | null
  /** Called when its instance has been ejected for not replying. */
  stalled(): void
}

/**
 * The attempts of one thread that wait for replies of one service's instances. When an instance is ejected because it stalls, the attempts
 * waiting for it are notified, so that they can try another one. Checked together with the thread's deadlines, and only while there are
 * any.
 */
export class StalledAttempts implements Timed {
  deadline = Number.POSITIVE_INFINITY
  watchIndex = -1
  private readonly board: HealthBoard
  private readonly deadlines: Deadlines
  private first: WaitingAttempt | null = null
  private watching = false
  private version: number

  constructor(board: HealthBoard, deadlines: Deadlines) {
    this.board = board
    this.deadlines = deadlines
    this.version = board.version
  }

  /** Starts watching an attempt. */
  add(waiting: WaitingAttempt): void {
    const { first } = this
    waiting.following = first
    if (first !== null) first.prior = waiting
    this.first = waiting
    if (this.watching) return
    this.watching = true
    this.deadline = 0
    this.deadlines.watch(this)
  }

  /** Stops watching it. */
  remove(waiting: WaitingAttempt): void {
    const { prior, following } = waiting
    if (prior !== null) prior.following = following
    else if (this.first === waiting) this.first = following
    if (following !== null) following.prior = prior
    waiting.prior = waiting.following = null
  }

  onDeadline(): void {
    const { board } = this
    if (this.first === null) {
      this.watching = false
      this.deadlines.forget(this)
      return
    }
    // Checked the next time the deadlines are.
    this.deadline = 0
    if (board.version === this.version) return
    this.version = board.version
    const stalled: WaitingAttempt[] = []
    for (let each: WaitingAttempt | null = this.first; each !== null; each = each.following)
      if (board.ejections.stalled(each.instance.slot)) stalled.push(each)
    for (const each of stalled) each.stalled()
  }
}
