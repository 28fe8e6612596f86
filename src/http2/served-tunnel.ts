import type { GatewayError } from '../core/errors.ts'
import type { BodyStream } from '../http/body.ts'
import type { Tunnel, Upgrade } from '../http/upgrade.ts'
import { GOING_AWAY } from '../http/websocket-close.ts'
import { StreamTunnel, type TunnelStream } from './stream-tunnel.ts'

/** A tunnel in the stream of a client: the client's end, and its connection with the service's once it is open. */
export class ServedTunnel {
  private readonly end: StreamTunnel
  private tunnel: Tunnel | null = null

  /** `incoming` is the data from the client. */
  constructor(incoming: BodyStream, stream: TunnelStream) {
    this.end = new StreamTunnel(incoming, stream)
  }

  /** The data for the client. */
  get outgoing(): BodyStream {
    return this.end.outgoing
  }

  /** Bytes sent to the client. */
  get bytes(): number {
    return this.tunnel?.bytes ?? 0
  }

  /** The error for which the gateway ended it, or null. */
  get error(): GatewayError | null {
    return this.tunnel?.error ?? null
  }

  /** Connects the client's end with the service's; `outgoing` must have been piped before. */
  open(upgrade: Upgrade): void {
    const tunnel = upgrade.open(this.end)
    this.tunnel = tunnel
    this.end.open({
      received: (bytes) => tunnel.fromClient(bytes),
      drained: () => tunnel.clientDrained(),
      ended: () => tunnel.clientEnded(),
      closed: () => tunnel.close(),
    })
  }

  /** Ends it shortly, with a Close frame for a WebSocket client. */
  leave(): void {
    this.tunnel?.leave(GOING_AWAY)
  }

  /** The stream is closed. */
  close(): void {
    this.end.close()
  }
}
