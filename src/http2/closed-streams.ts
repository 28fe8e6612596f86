import { protocolError } from './frames.ts'
import { PeerResets } from './peer-resets.ts'
import { ResetStreams } from './reset-streams.ts'
import { MAX_ROOM } from './stream-room.ts'
import type { WorkBudget } from './work-budget.ts'

/** The ids of streams, and what the peer's frames mean for those that are not open (RFC 9113 section 5.1). */
export class ClosedStreams {
  /** The highest id of a stream that the client, or the gateway as the client, has begun. */
  last = 0

  private readonly workBudget: WorkBudget
  private readonly resetHere = new ResetStreams()
  private readonly peerResets: PeerResets
  /** The last gap between ids of streams begun (section 5.1.1); only one is kept, as real clients leave none. */
  private skipped = { from: 0, to: 0 }
  /** Streams with a higher id are not served. */
  private lastServed = Number.POSITIVE_INFINITY

  constructor(workBudget: WorkBudget) {
    this.workBudget = workBudget
    this.peerResets = new PeerResets(workBudget)
  }

  /** The id of the next stream if none is skipped: clients begin those with odd numbers only. */
  get next(): number {
    return this.last === 0 ? 1 : this.last + 2
  }

  /** A stream begins whose id is higher than all before; false where it is not served. */
  begin(id: number): boolean {
    if (id > this.next) this.skipped = { from: this.last, to: id }
    this.last = id
    return id <= this.lastServed
  }

  /** No stream that begins from now on is served. Returns the last one that is, which must not change once it is announced (section 6.8). */
  serveNoMore(): number {
    this.lastServed = Math.min(this.lastServed, this.last)
    return this.lastServed
  }

  /** Throws ConnectionError where the stream has never begun. */
  check(id: number): void {
    if (id > this.last || id % 2 === 0) throw protocolError(`A frame is for stream ${id}, which has not begun.`)
  }

  /**
   * HEADERS or DATA with that much content for such a stream. For a stream that was reset here this is no error of the peer, and neither is
   * content still in transit. Throws ConnectionError where it is one.
   */
  receive(id: number, content: number): void {
    this.check(id)
    if (id > this.lastServed) return this.workBudget.spend(1, 'frames on streams that are not served')
    if (id > this.skipped.from && id < this.skipped.to) throw protocolError(`Stream ${id} was skipped.`)
    this.resetHere.receive(id, content, this.workBudget)
  }

  /** The gateway has reset an open stream. */
  wasReset(id: number): void {
    this.resetHere.add(id, MAX_ROOM)
  }

  /**
   * The peer resets a stream, which may still be open; `inVain` where it is a request without a reply so far. Throws ConnectionError where
   * there are too many.
   */
  resetByPeer(id: number, inVain: boolean): void {
    this.check(id)
    this.peerResets.receive(id, inVain)
  }
}
