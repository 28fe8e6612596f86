import { valueOfEach } from '../core/present.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { type RefusalReason, refusalReasons } from '../proxy-protocol/arrivals.ts'

/** Minimum interval between log lines for the same reason, in milliseconds: there may be thousands of events per second. */
const INTERVAL = 60_000

/** Called for connections that were closed for lack of a valid PROXY protocol header. */
export type RefusedArrivalLogger = (reason: RefusalReason, peer: string, detail: string) => void

/** Counts them, and logs one example per reason and minute. */
export function createRefusedArrivalLogger(metrics: Metrics, log: Logger, clock: Clock): RefusedArrivalLogger {
  const counter = valueOfEach(refusalReasons, (reason) =>
    metrics.counter('sallyport_proxy_headers_refused_total', { reason }),
  )
  const lastLogged = new Map<RefusalReason, number>()
  return (reason, peer, detail) => {
    counter(reason).add(1)
    const now = clock.now()
    const last = lastLogged.get(reason)
    if (last !== undefined && now - last < INTERVAL) return
    lastLogged.set(reason, now)
    log.warn({ ip_address: peer, reason, detail }, 'Connection closed: it does not begin as proxyProtocol requires')
  }
}
