import { isStream } from '../../http/body.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import { tooLarge } from '../../http/limited-body.ts'
import type { Logger } from '../../core/logger.ts'
import type { Counter, Metrics } from '../../core/metrics.ts'
import { type BodyRule, checkDocument, type Content } from './body-rule.ts'
import { ObservedBody } from './observed-body.ts'
import { checkHeadAndParameters, type Operation } from './operation.ts'

/** The errors with which validation may refuse a request. */
const CODES = [
  'bad-request',
  'not-found',
  'method-not-allowed',
  'content-too-large',
  'unsupported-media-type',
  'unprocessable-content',
] as const

/** Most violations of one request that are logged. */
const TOLD = 5

/** Reports requests that would have been refused, in the log and in a metric. */
export class Reporter {
  private readonly log: Logger
  private readonly counters: ReadonlyMap<string, Counter>

  /** `endpoint` is the pattern of the route. */
  constructor(metrics: Metrics, log: Logger, endpoint: string) {
    this.log = log
    this.counters = new Map(
      CODES.map((code) => [code, metrics.counter('sallyport_validation_reports_total', { endpoint, code })]),
    )
  }

  /** The result of `check`; null if it throws a GatewayError, which is reported. */
  watch<T>(exchange: Exchange, check: () => T): T | null {
    try {
      return check()
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      this.logFailure(exchange, error)
      return null
    }
  }

  logFailure({ correlationId, route, method, path }: Exchange, { code, message, members }: GatewayError): void {
    this.counters.get(code)?.add(1)
    const errors = members?.['errors']
    this.log.warn(
      {
        correlation_id: correlationId,
        route: route.id,
        method,
        path,
        code,
        detail: message,
        ...(Array.isArray(errors) && { errors: errors.slice(0, TOLD) }),
      },
      'The request would be refused by validation',
    )
  }
}

/** Checks a request without affecting it: a streamed body is checked after it has passed. */
export function reportRequest(
  exchange: Exchange,
  operation: Operation,
  params: Readonly<Record<string, string>>,
  reporter: Reporter,
): void {
  const checked = reporter.watch(exchange, () => ({
    content: checkHeadAndParameters(exchange, operation, params),
  }))
  if (checked !== null) observeBody(exchange, operation.body, checked.content, reporter)
}

function observeBody(exchange: Exchange, rule: BodyRule, content: Content | null, reporter: Reporter): void {
  const { body } = exchange
  const check = content?.check ?? null
  const limit = check === null ? rule.limit : rule.checkedLimit
  if (body === null) return
  if (body.length > limit) return reporter.logFailure(exchange, tooLarge(limit))
  if (!isStream(body)) {
    if (check !== null) reporter.watch(exchange, () => checkDocument(body, check))
    return
  }
  if (check === null && body.length >= 0) return
  exchange.body = new ObservedBody(
    body,
    { limit, keeps: check !== null, client: exchange.client.address },
    {
      passed: (bytes) => {
        if (check !== null) reporter.watch(exchange, () => checkDocument(bytes, check))
      },
      tooLarge: () => reporter.logFailure(exchange, tooLarge(limit)),
    },
  )
}
