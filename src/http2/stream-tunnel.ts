import type { BodySink, BodyStream } from '../http/body.ts'
import type { Tunnel, TunnelEnd, Upgrade } from '../http/upgrade.ts'

/**
 * The client's end of a tunnel in a stream (RFC 8441): what the client sends comes as the body of a request would, and what is
 * said to it goes as the body of a reply.
 */
export class StreamTunnel implements TunnelEnd {
  destroyed = false
  writableEnded = false
  /** Octets of the last write, until they are taken. */
  writableLength = 0
  /** What is said to the client. */
  readonly outgoing: BodyStream
  private readonly incoming: BodyStream
  private readonly cut: () => void
  private joined: Tunnel | null = null
  private sink: BodySink | null = null
  private paused = false
  /** The client's octets wait for being asked for. */
  private waits = false

  /** `incoming` is what the client sends; `cut` ends the stream at once. */
  constructor(incoming: BodyStream, cut: () => void) {
    this.incoming = incoming
    this.cut = cut
    this.outgoing = {
      length: -1,
      pipe: (sink) => {
        this.sink = sink
      },
      resume: () => this.taken(),
      leave: () => true,
      cancel: () => this.close(),
    }
  }

  /** Null before `open`. */
  get tunnel(): Tunnel | null {
    return this.joined
  }

  /** Joins it with the service; `outgoing` has to be piped before. */
  open(upgrade: Upgrade): void {
    const tunnel = upgrade.open(this)
    this.joined = tunnel
    this.incoming.pipe({
      write: (octets) => {
        tunnel.fromClient(octets)
        this.waits = this.paused
        return !this.paused
      },
      end: () => tunnel.clientEnded(),
      fail: () => this.close(),
    })
  }

  /** The stream is gone. */
  close(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.joined?.close()
  }

  write(octets: Buffer): boolean {
    if (this.destroyed || this.writableEnded || this.sink === null) return false
    if (this.sink.write(octets)) return true
    this.writableLength = octets.length
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
    this.cut()
  }

  private taken(): void {
    this.writableLength = 0
    this.joined?.clientDrained()
  }
}
