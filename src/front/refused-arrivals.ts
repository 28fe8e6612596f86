import { valueOfEach } from '../core/present.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { type RefusalReason, refusalReasons } from '../proxy-protocol/arrivals.ts'

/** Between two lines of one reason, in milliseconds: there may be thousands a second. */
const INTERVAL = 60_000

/** Told of connections that were closed as they did not say in the PROXY protocol whom they are for. */
export type ToldOfArrival = (reason: RefusalReason, peer: string, detail: string) => void

/** Counts them, and says once a minute of each reason what one of them was. */
export function tellOfArrivals(metrics: Metrics, log: Logger, clock: Clock): ToldOfArrival {
  const counter = valueOfEach(refusalReasons, (reason) =>
    metrics.counter('sallyport_proxy_headers_refused_total', { reason }),
  )
  const said = new Map<RefusalReason, number>()
  return (reason, peer, detail) => {
    counter(reason).add(1)
    const now = clock.now()
    const last = said.get(reason)
    if (last !== undefined && now - last < INTERVAL) return
    said.set(reason, now)
    log.warn({ ip_address: peer, reason, detail }, 'Connection closed: it does not begin as proxyProtocol requires')
  }
}
