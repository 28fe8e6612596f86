import type { Socket } from 'node:net'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import { ReplyPace } from '../http/reply-pace.ts'
import type { ServerOptions } from '../http/server-handler.ts'
import type { TakingWatch } from './sender.ts'

export interface ReplyWatchOptions {
  readonly socket: Socket
  readonly options: ServerOptions
  readonly deadlines: Deadlines
  /** What is written: bytes of content so far. */
  readonly sent: { readonly bytes: number }
  /** The client takes the replies below the minimum rate, or not at all. */
  readonly tooSlow: (reason: 'reply-rate' | 'reply-timeout') => void
}

/** Watches how the client of a connection takes the replies that wait for it. */
export class ReplyWatch implements TakingWatch, Timed {
  deadline = Number.POSITIVE_INFINITY
  watchIndex = -1
  private readonly options: ServerOptions
  private readonly deadlines: Deadlines
  private readonly tooSlow: ReplyWatchOptions['tooSlow']
  private readonly pace: ReplyPace
  /** Bytes transferred at the last check. */
  private moved = 0

  constructor({ socket, options, deadlines, sent, tooSlow }: ReplyWatchOptions) {
    this.options = options
    this.deadlines = deadlines
    this.tooSlow = tooSlow
    this.pace = new ReplyPace(socket, sent, { options, deadlines }, () => tooSlow('reply-rate'))
  }

  wait(): void {
    this.pace.wait()
    if (this.deadline === Number.POSITIVE_INFINITY) this.awaitReading()
  }

  rest(): void {
    this.pace.rest()
    this.deadlines.forget(this)
    this.deadline = Number.POSITIVE_INFINITY
  }

  onDeadline(): void {
    // Where the client's flow-control window is the limit, no data is pending that the operating system could take.
    if (this.pace.progressed || this.pace.moved() > this.moved) this.awaitReading()
    else this.tooSlow('reply-timeout')
  }

  close(): void {
    this.pace.close()
    this.deadlines.forget(this)
  }

  private awaitReading(): void {
    this.pace.mark()
    this.moved = this.pace.moved()
    this.deadlines.watch(this)
    this.deadline = this.deadlines.in(this.options.writeTimeout)
  }
}
