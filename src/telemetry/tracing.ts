import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { ExchangeRecord } from '../http/record.ts'
import { type Environment, readExportSettings } from './otel-environment.ts'
import type { Outcome, ReceivedExchange } from './received-exchange.ts'
import { createSampler, type Sampler } from './sampler.ts'
import type { SpanOutput } from './span-output.ts'
import { traceOf } from './trace-context.ts'

/** Assigns each exchange to its trace, and passes its spans on for export if that is enabled. */
export class Tracing {
  private readonly sampler: Sampler
  private readonly clock: Clock
  /** Null if nothing is exported. */
  private readonly output: SpanOutput | null

  constructor(sampler: Sampler, clock: Clock, output: SpanOutput | null) {
    this.sampler = sampler
    this.clock = clock
    this.output = output
  }

  /** Counts exported and dropped spans. */
  watch(metrics: Metrics): void {
    for (const outcome of ['exported', 'failed', 'dropped'] as const)
      metrics.watch('sallyport_trace_spans_total', { outcome }, () => this.output?.counts[outcome] ?? 0)
  }

  /** Continues the client's trace or begins a new one. */
  begin(exchange: ReceivedExchange): void {
    exchange.trace = traceOf(exchange.traceparent, exchange.tracestate, this.sampler)
    if (this.output !== null && exchange.trace.sampled) exchange.record = new ExchangeRecord(this.clock)
  }

  done(exchange: ReceivedExchange, outcome: Outcome): void {
    if (exchange.trace.sampled) this.output?.write(exchange, outcome)
  }

  /** Whether a shutdown stopped waiting for the collector; an export in progress may keep the thread alive. */
  get gaveUp(): boolean {
    return this.output?.gaveUp ?? false
  }

  /** Resolves when the remaining spans are exported, or when that fails or takes more than a few seconds. Never rejects. */
  close(): Promise<void> {
    return this.output?.close() ?? Promise.resolve()
  }
}

/** Tracing as configured by the OTEL_* variables; the exporter is loaded only if they name an endpoint. */
export async function startTracing(
  environment: Environment,
  version: string,
  log: Logger,
  clock: Clock,
): Promise<Tracing> {
  const sampler = createSampler(environment, log)
  const settings = readExportSettings(environment, log)
  if (settings === null) return new Tracing(sampler, clock, null)
  const { SpanOutput: Output } = await import('./span-output.ts')
  return new Tracing(sampler, clock, new Output(settings, version, log, clock))
}
