import { textOf } from '../../read.ts'
import type { PluginTranslator } from '../plugin.ts'

/** opentelemetry: built in. */
export const opentelemetry: PluginTranslator = {
  names: ['opentelemetry'],
  ignores: 'all',
  translate({ config, tell }) {
    const endpoint = textOf(config['traces_endpoint']) ?? textOf(config['endpoint'])
    const shown = endpoint === undefined ? '' : ` to ${endpoint.replace(/\/\/[^/@]*@/, '//').replace(/\?.*/, '')}`
    tell(
      'different',
      `Traces are built in: to export them${shown}, set OTEL_EXPORTER_OTLP_ENDPOINT. See docs/tracing.md.`,
    )
    return {}
  },
}
