import type { Socket } from 'node:net'
import type { Deadlines } from './deadlines.ts'
import { MinRate, type PacedTransfer } from './min-rate.ts'
import type { ServerOptions } from './server-handler.ts'
import { bytesTaken, bytesPending } from './socket-progress.ts'

interface PaceTools {
  readonly options: ServerOptions
  readonly deadlines: Deadlines
}

/** Watches how a client takes its replies: whether it takes anything at all, and whether at the minimum rate. */
export class ReplyPace implements PacedTransfer {
  private readonly socket: Socket
  private readonly writer: { readonly bytes: number }
  private readonly deadlines: Deadlines
  private readonly options: ServerOptions
  private readonly onSlow: () => void
  /** Created for the first reply that is not taken at once. */
  private rate: MinRate | null = null
  private taken = 0

  /**
   * `writer` counts the bytes of content written. Each reply follows the options at the time it begins. `onSlow` is
   * called when a reply falls below the minimum rate.
   */
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

  /** The reply starts waiting for the client. */
  wait(): void {
    if (this.rate === null) {
      this.rate = new MinRate(this.deadlines, this)
      this.begin()
    }
    this.rate.wait()
  }

  /** The reply stops waiting for the client, for now. */
  rest(): void {
    this.rate?.rest()
  }

  /** Remembers how much the client has taken. */
  mark(): void {
    this.taken = bytesTaken(this.socket)
  }

  /** Whether the client has taken more of the pending bytes since `mark`. */
  get progressed(): boolean {
    return this.socket.writableLength > 0 && bytesTaken(this.socket) > this.taken
  }

  /**
   * Bytes held by the operating system count as taken: their arrival cannot be observed, and must not get a client cut
   * off.
   */
  moved(): number {
    return this.writer.bytes - bytesPending(this.socket)
  }

  tooSlow(): void {
    this.onSlow()
  }

  close(): void {
    if (this.rate !== null) this.deadlines.forget(this.rate)
  }
}
