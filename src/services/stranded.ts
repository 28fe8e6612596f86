import type { Deadlines, Timed } from '../http/deadlines.ts'
import type { HealthBoard } from './health/board.ts'

/** An attempt that waits for its instance: a link of the chain of all of them. */
export interface Waiting {
  readonly instance: { readonly slot: number }
  prior: Waiting | null
  following: Waiting | null
  /** Its instance is ejected, as nothing comes from there. */
  stranded(): void
}

/**
 * The attempts of one thread that wait for the instances of one service to reply. Those that wait for one that is ejected as it stalls
 * are told: what they ask for may be had elsewhere. Looks with the deadlines of the thread, and only while there are any.
 */
export class Stranded implements Timed {
  deadline = Number.POSITIVE_INFINITY
  private readonly board: HealthBoard
  private readonly deadlines: Deadlines
  private first: Waiting | null = null
  private watching = false
  private version: number

  constructor(board: HealthBoard, deadlines: Deadlines) {
    this.board = board
    this.deadlines = deadlines
    this.version = board.version
  }

  /** It waits from now on. */
  add(waiting: Waiting): void {
    const { first } = this
    waiting.following = first
    if (first !== null) first.prior = waiting
    this.first = waiting
    if (this.watching) return
    this.watching = true
    this.deadline = 0
    this.deadlines.watch(this)
  }

  /** It does not any more. */
  remove(waiting: Waiting): void {
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
    // With the next look of the deadlines.
    this.deadline = 0
    if (board.version === this.version) return
    this.version = board.version
    const stranded: Waiting[] = []
    for (let each: Waiting | null = this.first; each !== null; each = each.following)
      if (board.ejections.stalled(each.instance.slot)) stranded.push(each)
    for (const each of stranded) each.stranded()
  }
}
