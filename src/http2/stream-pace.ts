import type { Deadlines, Timed } from '../http/deadlines.ts'
import { MinRate } from '../http/min-rate.ts'
import type { ServerOptions } from '../http/server-handler.ts'

type Slowness = 'body-rate' | 'body-timeout' | 'reply-rate' | 'reply-timeout'

/**
 * Watches how a client sends the body of a stream and takes its reply: whether anything moves at all, and whether at
 * the minimum rate. Only created for streams that wait for their client.
 */
export class StreamPace implements Timed {
  deadline = Number.POSITIVE_INFINITY
  watchIndex = -1
  private readonly deadlines: Deadlines
  private readonly options: ServerOptions
  private readonly tooSlow: (reason: Slowness) => void
  private readonly bodyRate: MinRate
  private readonly replyRate: MinRate
  private awaits: 'body' | 'reply' | null = null
  private received = 0
  private sent = 0

  constructor(tools: { deadlines: Deadlines; options: ServerOptions }, tooSlow: (reason: Slowness) => void) {
    this.deadlines = tools.deadlines
    this.options = tools.options
    this.tooSlow = tooSlow
    this.bodyRate = new MinRate(this.deadlines, { moved: () => this.received, tooSlow: () => tooSlow('body-rate') })
    this.replyRate = new MinRate(this.deadlines, { moved: () => this.sent, tooSlow: () => tooSlow('reply-rate') })
    this.bodyRate.begin(this.options.minRate, this.options.bodyTimeout)
    this.replyRate.begin(this.options.minRate, Number.POSITIVE_INFINITY)
    this.deadlines.watch(this)
  }

  /** Whether the stream waits for the client. */
  get waiting(): boolean {
    return this.awaits !== null
  }

  /** The next bytes of the body have to come from the client. */
  awaitBody(): void {
    if (this.awaits === 'reply') return
    this.awaits = 'body'
    this.deadline = this.deadlines.in(this.options.bodyTimeout)
    this.bodyRate.wait()
  }

  restBody(): void {
    this.bodyRate.rest()
    if (this.awaits === 'body') this.rest()
  }

  /** Bytes of the body have arrived. */
  moved(bytes: number): void {
    this.received += bytes
  }

  /** A body of unknown length that continues during the reply may be one side of a conversation. */
  replyBegins(bodyLength: number): void {
    if (bodyLength >= 0) return
    this.bodyRate.excuse()
    this.restBody()
  }

  /** The client has to widen the window. */
  awaitReply(): void {
    if (this.awaits === 'reply') return
    this.bodyRate.rest()
    this.awaits = 'reply'
    this.deadline = this.deadlines.in(this.options.writeTimeout)
    this.replyRate.wait()
  }

  /** The client has taken that many bytes of the reply. */
  replyMoved(bytes: number): void {
    this.sent += bytes
    if (this.awaits === 'reply') this.deadline = this.deadlines.in(this.options.writeTimeout)
  }

  restReply(): void {
    this.replyRate.rest()
    if (this.awaits === 'reply') this.rest()
  }

  onDeadline(): void {
    if (this.awaits !== null) this.tooSlow(this.awaits === 'body' ? 'body-timeout' : 'reply-timeout')
  }

  close(): void {
    this.rest()
    this.deadlines.forget(this)
    this.deadlines.forget(this.bodyRate)
    this.deadlines.forget(this.replyRate)
  }

  private rest(): void {
    this.awaits = null
    this.deadline = Number.POSITIVE_INFINITY
  }
}
