import type { BodyStream } from '../http/body.ts'
import type { Deadlines } from '../http/deadlines.ts'
import { TunnelRelay } from '../http/tunnel.ts'
import type { Tunnel, TunnelEnd, Upgrade } from '../http/upgrade.ts'
import { StreamTunnel, type TunnelStream } from './stream-tunnel.ts'

/** The stream in which a service has accepted another protocol. */
export interface UpgradedStream extends TunnelStream {
  readonly deadlines: Deadlines
  /** Longest silence in both directions, in milliseconds. */
  readonly idleTimeout: number
  /** The client is connected: pipes what it sends, `outgoing` of the service's end. */
  readonly opened: (end: StreamTunnel) => void
}

/** The acceptance of another protocol by a service in a stream (RFC 8441 section 5). */
export class StreamUpgrade implements Upgrade {
  readonly protocol: string
  private readonly end: StreamTunnel
  private readonly stream: UpgradedStream

  /** `incoming` is the data from the service. */
  constructor(protocol: string, incoming: BodyStream, stream: UpgradedStream) {
    this.protocol = protocol
    this.end = new StreamTunnel(incoming, stream)
    this.stream = stream
  }

  open(client: TunnelEnd): Tunnel {
    const { protocol, end } = this
    const { deadlines, idleTimeout, opened } = this.stream
    const tunnel = new TunnelRelay({ client, service: end, protocol, deadlines, idleTimeout })
    opened(end)
    end.open({
      received: (bytes) => tunnel.fromService(bytes),
      drained: () => tunnel.serviceDrained(),
      ended: () => tunnel.serviceEnded(),
      closed: () => tunnel.close(),
    })
    return tunnel
  }

  refuse(): void {
    this.stream.cut()
  }
}
