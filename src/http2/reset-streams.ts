import { ConnectionError, ErrorCode } from './errors.ts'
import type { WorkBudget } from './work-budget.ts'

/** How many streams are remembered. */
const MAX = 1024

/**
 * Streams that were reset by the gateway, and how much content may still be in transit in each: frames for them are no
 * error of the peer (RFC 9113 section 5.1).
 */
export class ResetStreams {
  private readonly rooms = new Map<number, number>()

  add(id: number, room: number): void {
    const [oldest] = this.rooms.keys()
    if (this.rooms.size >= MAX && oldest !== undefined) this.rooms.delete(oldest)
    this.rooms.set(id, room)
  }

  /**
   * A frame with that much content was received for a stream that no longer exists. Content that was still in transit is not charged.
   * Throws ConnectionError where the stream was not reset.
   */
  receive(id: number, content: number, workBudget: WorkBudget): void {
    const room = this.rooms.get(id)
    if (room === undefined) throw new ConnectionError(ErrorCode.streamClosed, `Stream ${id} has ended.`)
    this.rooms.set(id, room - content)
    if (content === 0 || room < content) workBudget.spend(1, 'frames on streams that have ended')
  }
}
