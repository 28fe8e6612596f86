import type { Logger } from '../core/logger.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** How spans are batched before they are exported. */
export interface ExportSettings {
  /** Maximum number of spans that wait. */
  readonly queueSize: number
  /** Maximum number of spans per export. */
  readonly batchSize: number
  /** How long a span waits for others, in milliseconds. */
  readonly delay: number
  /** The time limit of an export, in milliseconds. */
  readonly timeout: number
}

/** The export settings in the OTEL_* variables, or null if they name no endpoint or disable the export. */
export function readExportSettings(environment: Environment, log: Logger): ExportSettings | null {
  const text = (name: string): string => environment[name]?.trim() ?? ''
  const number = (name: string, standard: number): number => {
    const written = text(name)
    if (written === '') return standard
    if (/^[1-9]\d{0,8}$/.test(written)) return Number(written)
    log.warn({ [name]: written, used: standard }, 'Not a whole number above 0')
    return standard
  }
  if (text('OTEL_EXPORTER_OTLP_ENDPOINT') === '' && text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') === '') return null
  if (text('OTEL_SDK_DISABLED').toLowerCase() === 'true') return null
  const exporter = text('OTEL_TRACES_EXPORTER')
  if (exporter === 'none') return null
  if (exporter !== '' && exporter !== 'otlp') {
    log.warn({ OTEL_TRACES_EXPORTER: exporter, allowed: ['otlp', 'none'] }, 'No such exporter: no spans are exported')
    return null
  }
  const protocol = text('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') || text('OTEL_EXPORTER_OTLP_PROTOCOL')
  if (protocol !== '' && protocol !== 'http/protobuf')
    log.warn({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol }, 'Spans are sent as http/protobuf all the same')
  const queueSize = number('OTEL_BSP_MAX_QUEUE_SIZE', 2048)
  return {
    queueSize,
    batchSize: Math.min(number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512), queueSize),
    delay: number('OTEL_BSP_SCHEDULE_DELAY', 5000),
    timeout: number('OTEL_BSP_EXPORT_TIMEOUT', 30_000),
  }
}
