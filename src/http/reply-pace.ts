import type { Socket } from 'node:net'
import type { Deadlines } from './deadlines.ts'
import { LeastRate, type Paced } from './least-rate.ts'
import type { ServerOptions } from './server-handler.ts'
import { takenOf, untakenOf } from './taken.ts'

/** What replies are paced by. */
interface PaceTools {
  readonly options: ServerOptions
  readonly deadlines: Deadlines
}

/** How a client takes its replies: whether it takes anything at all, and whether at the least rate. */
export class ReplyPace implements Paced {
  private readonly socket: Socket
  private readonly writer: { readonly bytes: number }
  private readonly deadlines: Deadlines
  private readonly options: ServerOptions
  private readonly onSlow: () => void
  /** Made for the first reply that is not taken at once. */
  private rate: LeastRate | null = null
  private taken = 0

  /** `writer` has written so many octets of content. Each reply goes by what the options say when it begins. `onSlow` is told of a reply that is below the rate. */
  constructor(
    socket: Socket,
    writer: { readonly bytes: number },
    { options, deadlines }: PaceTools,
    onSlow: () => void,
  ) {
    this.socket = socket
    this.writer = writer
    this.deadlines = deadlines
    this.options = options
    this.onSlow = onSlow
  }

  /** Another reply begins. */
  begin(): void {
    this.rate?.begin(this.options.minRate, Number.POSITIVE_INFINITY)
  }

  /** The reply waits for the client from now on. */
  wait(): void {
    if (this.rate === null) {
      this.rate = new LeastRate(this.deadlines, this)
      this.begin()
    }
    this.rate.wait()
  }

  /** It does not, for now. */
  rest(): void {
    this.rate?.rest()
  }

  /** Remembers how much the client has taken. */
  mark(): void {
    this.taken = takenOf(this.socket)
  }

  /** Whether it has taken more of what there is since. */
  get progressed(): boolean {
    return this.socket.writableLength > 0 && takenOf(this.socket) > this.taken
  }

  /** What the system holds counts as taken: nobody can see when it arrives, and it is no reason to cut anybody off. */
  moved(): number {
    return this.writer.bytes - untakenOf(this.socket)
  }

  tooSlow(): void {
    this.onSlow()
  }

  close(): void {
    if (this.rate !== null) this.deadlines.forget(this.rate)
  }
}
