import { valueOfEach } from '../../core/present.ts'
import { endpointOf } from '../../core/endpoint.ts'
import { type ErrorKind, errorKinds } from '../../core/errors.ts'
import { type EndedExchange, gatewayTime, type RouteInfo } from '../../http/exchange.ts'
import type { Counter, Histogram, Gauge, Metrics } from '../../core/metrics.ts'
import { callStatus } from '../call-status.ts'
import type { GrpcStatusName } from '../../grpc/status.ts'
import { type BreakReason, breakReasons } from '../breakage.ts'

/** Every other method is counted as OTHER, because clients may send anything. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'TRACE', 'CONNECT'])
const OTHER = 'OTHER'

/** The status of a call whose reply does not have one. */
const NO_STATUS = 'NONE'

type CallStatus = GrpcStatusName | typeof NO_STATUS

/** The most errors of custom policies that are counted by their codes; the others have one code together. */
const OWN_ERRORS = 100
const OTHER_ERROR = 'other'

/** The endpoint of all requests that match no route. */
const UNMATCHED = 'unmatched'

/** Counts finished exchanges. */
export class RequestMetrics {
  private readonly metrics: Metrics
  private readonly routes = new WeakMap<RouteInfo, RouteMetrics>()
  private readonly errors = new WeakMap<ErrorKind, Counter>()
  /** Errors of custom policies: their codes and faults. */
  private readonly ownErrors = new Set<string>()
  private readonly broken: (reason: BreakReason) => Counter
  private readonly refusals = new Map<string, Counter>()
  private readonly listeners = new Map<string, Counter>()

  constructor(metrics: Metrics) {
    this.metrics = metrics
    for (const kind of errorKinds()) this.enterError(kind, kind.code)
    this.broken = valueOfEach(breakReasons, (reason) => metrics.counter('sallyport_replies_broken_total', { reason }))
  }

  /**
   * An exchange has finished: its status, the bytes of the body that were sent, and the end in monotonic milliseconds. `traceId` is the
   * trace for which it serves as an exemplar, or null.
   */
  record(exchange: EndedExchange, status: number, bytes: number, end: number, traceId: string | null): void {
    const { route, method, start, error, listener } = exchange
    const ofRoute = this.routes.get(route) ?? this.enter(route)
    const ofMethod = ofRoute.of(method)
    ofMethod.ofStatus(status).add(1)
    if (traceId === null) ofMethod.duration.observe((end - start) / 1000)
    else ofMethod.duration.observeExample((end - start) / 1000, traceId, end)
    ofRoute.took(status).observe((end - start) / 1000)
    ofRoute.last.set(end / 1000)
    ofRoute.bytes.add(bytes)
    if (!exchange.aborted) ofRoute.gateway.observe(gatewayTime(exchange, end) / 1000)
    if (exchange.grpc !== null) ofRoute.ofCall(callStatus(exchange) ?? NO_STATUS).add(1)
    if (error !== null) (this.errors.get(error.kind) ?? this.enterOwnError(error.kind)).add(1)
    const ofListener = this.listeners.get(listener) ?? this.enterListener(listener)
    ofListener.add(1)
  }

  /** A reply or a tunnel was aborted. */
  broke(reason: BreakReason): void {
    this.broken(reason).add(1)
  }

  /** The head of a request could not be parsed. */
  refused(code: string): void {
    const counter = this.refusals.get(code) ?? this.metrics.counter('sallyport_refused_requests_total', { code })
    this.refusals.set(code, counter)
    counter.add(1)
  }

  private enterError(kind: ErrorKind, code: string): Counter {
    const made = this.metrics.counter('sallyport_errors_total', { code, fault: kind.fault })
    this.errors.set(kind, made)
    return made
  }

  /** A file that is loaded again defines its errors again; one that defines them for each request cannot fill the memory. */
  private enterOwnError(kind: ErrorKind): Counter {
    const name = `${kind.code} ${kind.fault}`
    if (!this.ownErrors.has(name) && this.ownErrors.size >= OWN_ERRORS) return this.enterError(kind, OTHER_ERROR)
    this.ownErrors.add(name)
    return this.enterError(kind, kind.code)
  }

  private enterListener(listener: string): Counter {
    const made = this.metrics.counter('sallyport_listener_requests_total', { listener })
    this.listeners.set(listener, made)
    return made
  }

  private enter(route: RouteInfo): RouteMetrics {
    const made = new RouteMetrics(this.metrics, route)
    this.routes.set(route, made)
    return made
  }
}

/** The counts of one path of a route. */
class RouteMetrics {
  readonly gateway: Histogram
  readonly bytes: Counter
  readonly last: Gauge
  private readonly metrics: Metrics
  private readonly id: string
  private readonly endpoint: string
  private readonly service: string
  private readonly methods = new Map<string, MethodMetrics>()
  private readonly calls = new Map<CallStatus, Counter>()
  private well: Histogram | null = null
  private refused: Histogram | null = null
  private failed: Histogram | null = null

  constructor(metrics: Metrics, { id, pattern, service }: RouteInfo) {
    this.metrics = metrics
    this.id = id
    this.last = metrics.gauge('sallyport_route_last_request_seconds', { route: id })
    this.endpoint = pattern === '' ? UNMATCHED : endpointOf(pattern)
    this.service = service ?? ''
    this.gateway = metrics.histogram('sallyport_gateway_duration_seconds', { service: this.service })
    this.bytes = metrics.counter('sallyport_response_bytes_total', { service: this.service })
  }

  /** The histogram for the duration of a request with that status. */
  took(status: number): Histogram {
    if (status < 400) return (this.well ??= this.tookOf('well'))
    if (status < 500) return (this.refused ??= this.tookOf('refused'))
    return (this.failed ??= this.tookOf('failed'))
  }

  of(method: string): MethodMetrics {
    return this.methods.get(method) ?? this.enter(METHODS.has(method) ? method : OTHER)
  }

  ofCall(grpc_status: CallStatus): Counter {
    const { metrics, endpoint, service } = this
    const made =
      this.calls.get(grpc_status) ?? metrics.counter('sallyport_grpc_calls_total', { endpoint, service, grpc_status })
    this.calls.set(grpc_status, made)
    return made
  }

  private tookOf(outcome: string): Histogram {
    return this.metrics.histogram('sallyport_route_duration_seconds', { route: this.id, outcome })
  }

  private enter(method: string): MethodMetrics {
    const { metrics, endpoint, service } = this
    const made = this.methods.get(method) ?? new MethodMetrics(metrics, { method, endpoint, service })
    this.methods.set(method, made)
    return made
  }
}

/** The counts of one method on that path. */
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
