import { Cost, type WorkBudget } from './work-budget.ts'

/** How many streams are remembered. */
const MAX = 1024
/** How many further resets of a stream are free. */
const REPEATS = 100

/**
 * The streams that the peer resets (RFC 9113 section 6.4). A request that is given up before there is a reply was in vain; the rest of a
 * message may well be unwanted. Frames of that message are still in transit, and some peers, such as HAProxy, reset the stream again for
 * each of them.
 */
export class PeerResets {
  private readonly workBudget: WorkBudget
  /** By stream, how many more resets are free; null before the first reset. */
  private repeats: Map<number, number> | null = null

  constructor(workBudget: WorkBudget) {
    this.workBudget = workBudget
  }

  /** A stream is reset, possibly not for the first time. Throws ConnectionError where there are too many. */
  receive(id: number, inVain: boolean): void {
    this.repeats ??= new Map()
    const { repeats } = this
    const left = repeats.get(id)
    if (left !== undefined && left > 0) return void repeats.set(id, left - 1)
    this.workBudget.spend(inVain ? Cost.stream : 1, 'streams that are reset')
    if (left !== undefined) return
    const [oldest] = repeats.keys()
    if (repeats.size >= MAX && oldest !== undefined) repeats.delete(oldest)
    repeats.set(id, REPEATS)
  }
}
