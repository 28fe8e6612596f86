import { flagOf, numberOf, textOf } from '../../read.ts'
import type { PluginTranslator } from '../plugin.ts'

const UNITS: Readonly<Record<string, string>> = { bytes: 'b', kilobytes: 'kb', megabytes: 'mb' }
const MAX = 1_000_000

/** request-size-limiting: validation.body.limit. */
export const requestSizeLimiting: PluginTranslator = {
  names: ['request-size-limiting'],
  translate({ config, tell }) {
    const size = Math.min(MAX, Math.max(1, Math.round(numberOf(config['allowed_payload_size']) ?? 128)))
    const unit = UNITS[textOf(config['size_unit']) ?? 'megabytes'] ?? 'mb'
    if (flagOf(config['require_content_length']) === true)
      tell(
        'different',
        'require_content_length was left out: bodies without Content-Length are counted as they arrive.',
      )
    return { policies: { validation: { body: { limit: `${size}${unit}` } } } }
  },
}
