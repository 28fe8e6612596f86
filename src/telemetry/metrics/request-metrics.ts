import type { Exchange, RouteInfo } from '../../core/exchange.ts'
import type { Counter, Histogram, Metrics } from '../../core/metrics.ts'

/** Every other method is OTHER: clients may send any. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'TRACE', 'CONNECT'])
const OTHER = 'OTHER'

/** The endpoint of all that no route takes. */
const UNMATCHED = 'unmatched'

/** The trace id that an exchange is an example of, or null. */
export type TraceIdOf = (exchange: Exchange) => string | null

/** Counts exchanges that are over. */
export class RequestMetrics {
  private readonly metrics: Metrics
  private readonly traceIdOf: TraceIdOf
  private readonly routes = new WeakMap<RouteInfo, RouteMetrics>()

  constructor(metrics: Metrics, traceIdOf: TraceIdOf) {
    this.metrics = metrics
    this.traceIdOf = traceIdOf
  }

  /** `end` in monotonic milliseconds. */
  record(exchange: Exchange, status: number, end: number): void {
    const { route, method, start } = exchange
    const entry = (this.routes.get(route) ?? this.enter(route)).of(method)
    entry.ofStatus(status).add(1)
    entry.duration.observe((end - start) / 1000, this.traceIdOf(exchange))
  }

  private enter(route: RouteInfo): RouteMetrics {
    const made = new RouteMetrics(this.metrics, route)
    this.routes.set(route, made)
    return made
  }
}

/** What is counted of one path of a route. */
class RouteMetrics {
  private readonly metrics: Metrics
  private readonly endpoint: string
  private readonly service: string
  private readonly methods = new Map<string, MethodMetrics>()

  constructor(metrics: Metrics, { pattern, service }: RouteInfo) {
    this.metrics = metrics
    this.endpoint = pattern === '' ? UNMATCHED : pattern
    this.service = service ?? ''
  }

  of(method: string): MethodMetrics {
    return this.methods.get(method) ?? this.enter(METHODS.has(method) ? method : OTHER)
  }

  private enter(method: string): MethodMetrics {
    const { metrics, endpoint, service } = this
    const made = this.methods.get(method) ?? new MethodMetrics(metrics, { method, endpoint, service })
    this.methods.set(method, made)
    return made
  }
}

/** What is counted of one method there. */
class MethodMetrics {
  readonly duration: Histogram
  private readonly metrics: Metrics
  private readonly labels: { readonly method: string; readonly endpoint: string; readonly service: string }
  private readonly statuses = new Map<number, Counter>()

  constructor(metrics: Metrics, labels: MethodMetrics['labels']) {
    this.metrics = metrics
    this.labels = labels
    this.duration = metrics.histogram('http_request_duration_seconds', labels)
  }

  ofStatus(status: number): Counter {
    return this.statuses.get(status) ?? this.enter(status)
  }

  private enter(status: number): Counter {
    const made = this.metrics.counter('http_requests_total', { ...this.labels, status: String(status) })
    this.statuses.set(status, made)
    return made
  }
}
