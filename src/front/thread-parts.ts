import { modulesLoaded } from '../config/fresh-modules.ts'
import { Deadlines } from '../http/deadlines.ts'
import { type RuntimeWatch, watchRuntime } from '../telemetry/metrics/runtime.ts'
import { ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'
import { createDroppedFieldsLogger } from './dropped-fields.ts'
import type { DroppedFieldsLogger } from './field-guard.ts'
import type { FrontOptions } from './front-options.ts'
import type { ThreadTools } from './generation.ts'
import type { Readiness } from './built-in-routes.ts'
import { Telemetry } from './telemetry.ts'
import { ThreadOverload } from './thread-overload.ts'

/** The parts of a thread that exist before its first configuration is compiled: dependencies of generations, and telemetry. */
export class ThreadParts {
  readonly deadlines: Deadlines
  readonly metrics: ThreadMetrics
  readonly telemetry: Telemetry
  readonly logDroppedFields: DroppedFieldsLogger
  readonly overload: ThreadOverload
  readonly tools: ThreadTools
  readiness: Readiness = 'starting'
  private readonly runtime: RuntimeWatch
  private readonly tracing: FrontOptions['tracing']

  constructor(options: FrontOptions) {
    const { board, output, answers, threads, clock, random, tracing } = options
    this.tracing = tracing
    this.deadlines = new Deadlines(clock)
    // Telemetry.
    const metrics = new ThreadMetrics(options.announce, clock, output.log)
    this.metrics = metrics
    this.runtime = watchRuntime(metrics, options.worker)
    metrics.watch('sallyport_policy_modules_loaded', { worker: String(options.worker) }, modulesLoaded)
    this.telemetry = new Telemetry({ ...options, metrics })
    const { log } = output
    this.logDroppedFields = createDroppedFieldsLogger(metrics, log)
    this.overload = new ThreadOverload(options.config.overload, metrics, clock, random)
    this.tools = {
      clock,
      random,
      log,
      metrics,
      deadlines: this.deadlines,
      board,
      threads,
      logDroppedFields: this.logDroppedFields,
      overload: this.overload,
      answer: (topic, answer) => answers.on(topic, answer),
      processStores: options.processStores,
      size: options.size,
      readiness: () => this.readiness,
      worker: options.worker,
    }
  }

  async close(): Promise<void> {
    this.overload.close()
    this.telemetry.close()
    this.deadlines.close()
    this.runtime.stop()
    this.metrics.close()
    await this.tracing.close()
  }
}
