import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { DroppedField } from '../http/received-fields.ts'
import type { DroppedFieldsLogger } from './field-guard.ts'

/** Maximum number of names remembered as logged, as clients choose them. */
const MAX_LOGGED = 256
const MAX_NAME_LENGTH = 100

const WHY: Readonly<Record<DroppedField['reason'], string>> = {
  folded: 'services may mistake it for a field that the gateway sets or reads',
  odd: 'its name contains something other than letters, digits and hyphens (requestFields: strict)',
  identity: 'only trusted proxies may say who the caller is (trustedProxies, proxyFields)',
}

/** Counts the headers removed from requests, and logs the reason once per name. */
export function createDroppedFieldsLogger(metrics: Metrics, log: Logger): DroppedFieldsLogger {
  const counters = {
    folded: metrics.counter('sallyport_request_fields_dropped_total', { reason: 'folded' }),
    odd: metrics.counter('sallyport_request_fields_dropped_total', { reason: 'odd' }),
    identity: metrics.counter('sallyport_request_fields_dropped_total', { reason: 'identity' }),
  }
  const logged = new Set<string>()
  return (fields) => {
    for (const { reason, name } of fields) {
      counters[reason].add(1)
      const key = name.slice(0, MAX_NAME_LENGTH).toLowerCase()
      if (logged.size >= MAX_LOGGED || logged.has(key)) continue
      logged.add(key)
      log.warn({ field: key, reason }, `Request field dropped: ${WHY[reason]}`)
    }
  }
}
