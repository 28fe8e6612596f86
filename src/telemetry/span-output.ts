import { hostname } from 'node:os'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace'
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { ExportSettings } from './otel-environment.ts'
import { type SpanOrigin, spansOf } from './spans.ts'
import type { Outcome, ReceivedExchange } from './received-exchange.ts'

/** How long a shutdown waits for the collector, in milliseconds. */
const CLOSE_TIMEOUT = 3000
/** The minimum interval between log lines about a failing collector, in milliseconds. */
const LOG_INTERVAL = 60_000

/**
 * Sends spans to the collector named by the OTEL_EXPORTER_OTLP_* variables, as OTLP over HTTP. The queue is bounded: if the collector does
 * not keep up, the spans of further exchanges are dropped, and nothing else waits for it.
 */
export class SpanOutput {
  readonly counts = { exported: 0, failed: 0, dropped: 0 }

  private readonly exporter = new OTLPTraceExporter()
  private readonly processor: BatchSpanProcessor
  private readonly origin: SpanOrigin
  private readonly queueSize: number
  private readonly log: Logger
  private readonly clock: Clock
  /** Spans that are waiting or being sent. */
  private waiting = 0
  private sending = 0
  private lost = 0
  /** A shutdown stopped waiting for the collector, and an export may still be in progress. */
  gaveUp = false
  private lastLogged = Number.NEGATIVE_INFINITY

  constructor({ queueSize, batchSize, delay, timeout }: ExportSettings, version: string, log: Logger, clock: Clock) {
    this.queueSize = queueSize
    this.log = log
    this.clock = clock
    this.origin = { resource: describeSelf(version), instrumentationScope: { name: 'sallyport', version } }
    this.processor = new BatchSpanProcessor({
      exporter: this.counting(),
      maxQueueSize: queueSize,
      maxExportBatchSize: batchSize,
      scheduledDelayMillis: delay,
      exportTimeoutMillis: timeout,
    })
  }

  write(exchange: ReceivedExchange, outcome: Outcome): void {
    const spans = spansOf(exchange, outcome, this.clock.wall() - this.clock.now(), this.origin)
    // All spans of an exchange or none: a span without its parent is of little use.
    if (this.waiting + spans.length > this.queueSize) {
      this.counts.dropped += spans.length
      return this.lose(spans.length, new Error('The span queue is full'))
    }
    this.waiting += spans.length
    for (const span of spans) this.processor.onEnd(span)
  }

  async close(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const cancel = this.clock.after(CLOSE_TIMEOUT, resolve)
    await Promise.race([this.shutDown(), late.then(() => this.giveUp())])
    cancel()
  }

  private async shutDown(): Promise<void> {
    // Undelivered spans are counted and logged where the failure occurs.
    await this.processor.shutdown().catch(() => {})
    await this.exporter.shutdown()
  }

  private giveUp(): void {
    this.gaveUp = true
    this.counts.failed += this.waiting + this.sending
    this.lose(this.waiting + this.sending, new Error('The collector does not answer'))
  }

  /** The exporter, wrapped to count the spans that are delivered or lost. */
  private counting(): SpanExporter {
    const { exporter } = this
    return {
      export: (spans, done) => {
        this.waiting -= spans.length
        this.sending += spans.length
        exporter.export(spans, (result) => {
          this.sending -= spans.length
          if (result.error === undefined) {
            this.counts.exported += spans.length
          } else {
            this.counts.failed += spans.length
            this.lose(spans.length, result.error)
          }
          done(result)
        })
      },
      // The processor does not call it if its last export fails.
      shutdown: () => Promise.resolve(),
    }
  }

  private lose(spans: number, error: Error): void {
    this.lost += spans
    const now = this.clock.now()
    if (now - this.lastLogged < LOG_INTERVAL) return
    this.log.warn({ spans: this.lost, error }, 'Spans were lost: the collector refuses them')
    this.lastLogged = now
    this.lost = 0
  }
}

/** OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence over the gateway's own attributes. */
function describeSelf(version: string): Resource {
  return resourceFromAttributes({
    [ATTR_SERVICE_NAME]: 'sallyport',
    [ATTR_SERVICE_VERSION]: version,
    'host.name': hostname(),
    'process.pid': process.pid,
  }).merge(detectResources({ detectors: [envDetector] }))
}
