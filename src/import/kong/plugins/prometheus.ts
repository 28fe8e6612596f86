import type { PluginTranslator } from '../plugin.ts'

/** prometheus: built in. */
export const prometheus: PluginTranslator = {
  names: ['prometheus'],
  ignores: 'all',
  translate({ tell }) {
    tell('different', 'Metrics are built in, at GET /metrics, under other names: see docs/metrics.md.')
    return {}
  },
}
