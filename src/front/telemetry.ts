import { valueOfEach } from '../core/present.ts'
import { activePolicies } from '../config/policy-schema.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import { asGatewayError, rootCause } from '../core/errors.ts'
import { ExchangeRecord } from '../http/record.ts'
import type { Counter, Metrics } from '../core/metrics.ts'
import { createFieldNotes } from '../telemetry/access-fields.ts'
import { type AccessLog, createAccessLog } from '../telemetry/access-log.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import { settleCall } from '../telemetry/call-status.ts'
import { type BreakReason, breakDetails, breakReason } from '../telemetry/breakage.ts'
import { RequestMetrics } from '../telemetry/metrics/request-metrics.ts'
import { Refusals } from '../telemetry/refusals.ts'
import {
  type RecentAnswer,
  type RecentFilter,
  type RecentRequest,
  RecentRequests,
} from '../telemetry/recent-requests.ts'
import { hideParameters, isSecret } from '../telemetry/redact.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import type { ReceivedExchange } from '../telemetry/received-exchange.ts'
import type { Policy } from '../policies/policy.ts'
import { slowReasons, type SlowReason } from '../http/server-handler.ts'
import { isBuiltIn } from './built-in-routes.ts'

export interface TelemetryOptions {
  readonly config: GatewayConfig
  /** All policies, in the order of the chain. */
  readonly policies: readonly Policy[]
  readonly output: LogOutput
  readonly tracing: Tracing
  readonly metrics: Metrics
  readonly clock: Clock
  /** Key for sampling requests to log. */
  readonly sampleKey: string
}

/** Records each exchange of a thread: in traces, metrics, the access log, and the list of recent requests. */
export class Telemetry {
  /** Whether the log includes timings. */
  private timings = false
  private readonly output: LogOutput
  private readonly tracing: Tracing
  private readonly clock: Clock
  private readonly metrics: RequestMetrics
  private readonly slowClients: (reason: SlowReason) => Counter
  private readonly sampleKey: string
  private accessLog: AccessLog | null = null
  /** Null if request headers are not logged. */
  private noteFields: ReturnType<typeof createFieldNotes> = null
  private requests: RecentRequests | null = null
  /** Query parameters with secrets whose names do not suggest it; null if there are none. */
  private secretParameters: ReadonlySet<string> | null = null
  private readonly refusals: Refusals

  constructor({ config, policies, output, tracing, metrics, clock, sampleKey }: TelemetryOptions) {
    this.output = output
    this.sampleKey = sampleKey
    this.tracing = tracing
    tracing.watch(metrics)
    this.clock = clock
    this.metrics = new RequestMetrics(metrics)
    this.slowClients = valueOfEach(slowReasons, (reason) => metrics.counter('sallyport_slow_clients_total', { reason }))
    this.refusals = new Refusals(clock, output.log)
    const lost = metrics.counter('sallyport_log_lines_lost_total', {})
    output.watchLost((lines) => lost.add(lines))
    this.configure(config, policies)
  }

  /** Applies another configuration. Recent requests are kept as far as there is room. */
  configure(config: GatewayConfig, policies: readonly Policy[]): void {
    const { output, clock, sampleKey } = this
    const { access } = config.log
    this.accessLog = access === false ? null : createAccessLog(output, clock, { ...access, sampleKey })
    this.noteFields = access === false ? null : createFieldNotes(access.headers)
    this.timings = measuresTime(config)
    this.secretParameters = plainlyNamedSecrets(config, policies)
    const remembered = config.admin === false ? 0 : config.admin.requests
    if (remembered === 0) this.requests = null
    else if (this.requests === null) this.requests = new RecentRequests(remembered, clock)
    else this.requests.resize(remembered)
  }

  /** The recent requests that match the filter, newest first; empty if none are recorded. */
  recent(filter: RecentFilter): RecentRequest[] {
    return this.requests?.list(filter) ?? []
  }

  /** Details of the recorded requests with that correlation ID. */
  details(correlationId: string): Omit<RecentAnswer, 'worker'> {
    return this.requests?.details(correlationId) ?? { remembered: 0, capacity: 0, since: null, found: [] }
  }

  /** The head of a request has arrived. */
  begin(exchange: ReceivedExchange): void {
    this.tracing.begin(exchange)
    if (this.noteFields !== null) exchange.noted = this.noteFields(exchange.headers)
    if (this.timings || this.output.isForPeople()) exchange.record ??= new ExchangeRecord(this.clock)
  }

  /** The head of a request could not be parsed; the IDs are those in the reply. */
  refused(error: unknown, peer: string, id: string, traceId: string): void {
    this.metrics.refused(asGatewayError(error).code)
    this.output.log.info({ ip_address: peer, correlation_id: id, trace_id: traceId, error }, 'Request refused')
  }

  /** An exchange or connection was closed because its client was too slow or exceeded its share. */
  slow(reason: SlowReason): void {
    this.slowClients(reason).add(1)
  }

  /** An exchange has ended: its status, the number of body bytes sent, whether the reply was complete, and the error that cut it off. */
  done(exchange: ReceivedExchange, status: number, bytes: number, whole: boolean, cause: Error | null): void {
    if (exchange.asked === null) return this.end(exchange, status, bytes, whole, cause)
    // The client has left while a changed request is with the service: it is reported as the client sent it.
    const { method, path, query, headers } = exchange
    Object.assign(exchange, exchange.asked)
    this.end(exchange, status, bytes, whole, cause)
    Object.assign(exchange, { method, path, query, headers })
  }

  private end(exchange: ReceivedExchange, status: number, bytes: number, whole: boolean, cause: Error | null): void {
    const { query } = exchange
    if (this.secretParameters !== null) exchange.query = hideParameters(query, this.secretParameters)
    this.report(exchange, status, bytes, whole, cause)
    // The client may have left while the request is still handled, for example copied by a mirror.
    exchange.query = query
  }

  private report(exchange: ReceivedExchange, status: number, bytes: number, whole: boolean, cause: Error | null): void {
    const { trace } = exchange
    const end = this.clock.now()
    const own = isBuiltIn(exchange.route)
    if (exchange.grpc !== null) settleCall(exchange, status, whole, end)
    // Sampled traces are recorded in any case, so they make good exemplars even if the gateway exports no traces.
    this.metrics.record(exchange, status, bytes, end, own || !trace.sampled ? null : trace.traceId)
    // Requests to the gateway's own endpoints, such as probes, arrive every few seconds, so they are logged at level debug only.
    if (!own || this.output.log.isLevelEnabled('debug')) this.accessLog?.(exchange, status, bytes, end)
    if (!own && exchange.record !== null) this.tracing.done(exchange, { status, bytes, whole, end })
    if (!own) this.requests?.add(exchange, status, bytes, end)
    const broken = (whole && cause === null) || exchange.aborted ? null : breakReason(cause)
    if (broken !== null) this.metrics.broke(broken)
    this.logFailure(exchange, broken)
  }

  /** Logs everything that is still pending. */
  close(): void {
    this.refusals.flush()
  }

  private logFailure(exchange: ReceivedExchange, broken: BreakReason | null): void {
    const { log } = this.output
    const { error } = exchange
    if (error !== null && error.fault !== 'client') {
      const { code, fault } = error
      if (fault === 'gateway' && code !== 'internal-error') return this.refusals.add(code, exchange.route.id)
      const fields = { ...aboutExchange(exchange), code, fault, cause: rootCause(error), error }
      if (fault === 'gateway') log.error(fields, 'Request failed in the gateway')
      else log.warn(fields, 'Request failed in the service')
    } else if (broken !== null) {
      const fields = { ...aboutExchange(exchange), reason: broken, detail: breakDetails[broken] }
      log.warn(fields, broken === 'idle' ? 'Reply or tunnel was idle for too long' : 'Reply broke off')
    }
  }
}

/** The query parameters that hold secrets according to a policy of any route although their names do not suggest it; null if there are none. */
function plainlyNamedSecrets(config: GatewayConfig, policies: readonly Policy[]): ReadonlySet<string> | null {
  const names = new Set<string>()
  const chain = policies.filter((policy) => policy.secretParameters !== undefined)
  for (const each of new Set([config.policies, ...config.routes.map((route) => route.policies)]))
    for (const [policy, options] of activePolicies(each, chain))
      for (const name of policy.secretParameters?.(options) ?? []) if (!isSecret(name)) names.add(name)
  return names.size === 0 ? null : names
}

/** Whether the log includes how the time of a request was spent. */
export function measuresTime({ log }: Pick<GatewayConfig, 'log'>): boolean {
  return log.access !== false && log.access.timings
}

/** Fields that identify an exchange in a log line. */
function aboutExchange({ correlationId, trace, route, instance }: ReceivedExchange): object {
  return { correlation_id: correlationId, trace_id: trace.traceId, route: route.id, service: route.service, instance }
}
