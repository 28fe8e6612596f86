import { valueOfEach } from '../core/present.ts'
import type { TLSSocket } from 'node:tls'
import type { Logger } from '../core/logger.ts'
import type { Counter, Metrics } from '../core/metrics.ts'
import { type HandshakeFailure, handshakeFailures } from '../listener/handshake-failure.ts'

/** Counts the results of a thread's TLS handshakes. Thousands may fail per second, so each failure is logged at level debug only. */
export class HandshakeMetrics {
  private readonly log: Logger
  private readonly done: ReadonlyMap<string, Counter>
  private readonly failures: (reason: HandshakeFailure) => Counter

  constructor(metrics: Metrics, log: Logger) {
    this.log = log
    this.done = new Map(
      ['1.2', '1.3'].flatMap((version) =>
        ['no', 'yes'].map((resumed) => [
          `TLSv${version} ${resumed}`,
          metrics.counter('sallyport_tls_handshakes_total', { version, resumed }),
        ]),
      ),
    )
    this.failures = valueOfEach(handshakeFailures, (reason) =>
      metrics.counter('sallyport_tls_handshake_failures_total', { reason }),
    )
  }

  secured(socket: TLSSocket): void {
    this.done.get(`${socket.getProtocol()} ${socket.isSessionReused() ? 'yes' : 'no'}`)?.add(1)
  }

  failed(reason: HandshakeFailure, peer: string, error: Error | null): void {
    this.failures(reason).add(1)
    if (this.log.isLevelEnabled('debug')) this.log.debug({ ip_address: peer, reason, error }, 'TLS handshake failed')
  }
}
