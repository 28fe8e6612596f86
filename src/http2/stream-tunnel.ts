import type { BodySink, BodyStream } from '../http/body.ts'
import type { TunnelEnd } from '../http/upgrade.ts'

/** Receives the events of one end of a tunnel. */
export interface TunnelSide {
  /** Bytes have arrived; they are only lent. */
  received(bytes: Buffer): void
  /** The peer has taken everything that was written to it. */
  drained(): void
  /** The peer sends no more. */
  ended(): void
  /** The stream is closed. */
  closed(): void
}

/** The stream that a tunnel is in. */
export interface TunnelStream {
  /** Ends it at once. */
  readonly cut: () => void
  /** Returns how many bytes for the peer are buffered. */
  readonly pending: () => number
}

/** One end of a tunnel in a stream (RFC 8441): data in both directions is transferred like the body of a message. */
export class StreamTunnel implements TunnelEnd {
  destroyed = false
  writableEnded = false
  /** The data for the peer. */
  readonly outgoing: BodyStream
  private readonly incoming: BodyStream
  private readonly stream: TunnelStream
  private side: TunnelSide | null = null
  private sink: BodySink | null = null
  private paused = false
  /** Size of the last write in bytes, until it is taken. */
  private last = 0
  /** The source of the peer's data waits for `resume`. */
  private waits = false

  /** `incoming` is the data from the peer. */
  constructor(incoming: BodyStream, stream: TunnelStream) {
    this.incoming = incoming
    this.stream = stream
    this.outgoing = {
      length: -1,
      pipe: (sink) => {
        this.sink = sink
      },
      resume: () => this.consumed(),
      leave: () => true,
      cancel: () => this.close(),
    }
  }

  get writableLength(): number {
    return this.destroyed ? 0 : Math.max(this.last, this.stream.pending())
  }

  /** Begins delivery; `outgoing` must have been piped before. */
  open(side: TunnelSide): void {
    this.side = side
    this.incoming.pipe({
      write: (bytes) => {
        side.received(bytes)
        this.waits = this.paused
        return !this.paused
      },
      end: () => side.ended(),
      fail: () => this.close(),
    })
  }

  /** The stream is closed. */
  close(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.side?.closed()
  }

  write(bytes: Buffer): boolean {
    if (this.destroyed || this.writableEnded || this.sink === null) return false
    if (this.sink.write(bytes)) return true
    this.last = bytes.length
    return false
  }

  end(): void {
    if (this.writableEnded || this.destroyed) return
    this.writableEnded = true
    this.sink?.end(null)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    if (!this.waits) return
    this.waits = false
    this.incoming.resume()
  }

  destroySoon(): void {
    this.end()
    this.incoming.cancel()
  }

  destroy(): void {
    if (this.destroyed) return
    this.close()
    this.stream.cut()
  }

  private consumed(): void {
    this.last = 0
    this.side?.drained()
  }
}
