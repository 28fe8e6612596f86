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

/** How long a stop waits for the collector, in milliseconds. */
const CLOSE_PATIENCE = 3000
/** How often a collector that does not take spans is logged at most, in milliseconds. */
const LOG_INTERVAL = 60_000

/**
 * Sends spans to the collector that the OTEL_EXPORTER_OTLP_* variables name, as OTLP over HTTP. What waits is bounded:
 * when the collector does not keep up, the spans of further exchanges are dropped, and nothing else waits for it.
 */
export class SpanOutput {
  readonly counts = { exported: 0, failed: 0, dropped: 0 }

  private readonly exporter = new OTLPTraceExporter()
  private readonly processor: BatchSpanProcessor
  private readonly origin: SpanOrigin
  private readonly queueSize: number
  private readonly log: Logger
  private readonly clock: Clock
  /** Spans that wait to be sent, and that are on their way. */
  private waiting = 0
  private sending = 0
  private lost = 0
  /** A stop did not wait any longer for the collector, which may still be tried. */
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
    // All of an exchange or nothing: a span without its parent tells little.
    if (this.waiting + spans.length > this.queueSize) {
      this.counts.dropped += spans.length
      return this.lose(spans.length, new Error('The span queue is full'))
    }
    this.waiting += spans.length
    for (const span of spans) this.processor.onEnd(span)
  }

  async close(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const cancel = this.clock.after(CLOSE_PATIENCE, resolve)
    await Promise.race([this.shutDown(), late.then(() => this.giveUp())])
    cancel()
  }

  private async shutDown(): Promise<void> {
    // What could not be delivered is counted and logged where it happens.
    await this.processor.shutdown().catch(() => {})
    await this.exporter.shutdown()
  }

  private giveUp(): void {
    this.gaveUp = true
    this.counts.failed += this.waiting + this.sending
    this.lose(this.waiting + this.sending, new Error('The collector does not answer'))
  }

  /** The exporter, with an eye on what becomes of the spans. */
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
      // The processor leaves it out where its last export fails.
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

/** What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before what the gateway says of itself. */
function describeSelf(version: string): Resource {
  return resourceFromAttributes({
    [ATTR_SERVICE_NAME]: 'sallyport',
    [ATTR_SERVICE_VERSION]: version,
    'host.name': hostname(),
    'process.pid': process.pid,
  }).merge(detectResources({ detectors: [envDetector] }))
}
