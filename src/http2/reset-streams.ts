/** How many are remembered. */
const MOST = 1024

/**
 * Streams that were reset from here, and how much content may still be on its way in each: that is no mistake of the peer's
 * (RFC 9113 section 5.1).
 */
export class ResetStreams {
  private readonly rooms = new Map<number, number>()

  add(id: number, room: number): void {
    const [oldest] = this.rooms.keys()
    if (this.rooms.size >= MOST && oldest !== undefined) this.rooms.delete(oldest)
    this.rooms.set(id, room)
  }

  /** So much content of a stream has come; returns what may still be on its way, less than 0 for too much, or null where it was not reset. */
  receive(id: number, content: number): number | null {
    const room = this.rooms.get(id)
    if (room === undefined) return null
    this.rooms.set(id, room - content)
    return room - content
  }
}
