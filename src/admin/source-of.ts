import { GatewayError } from '../core/errors.ts'
import type { ConfigurationSource } from '../runtime/configuration-source.ts'

/** The source of the configuration. Throws GatewayError 'conflict' if it was passed by the program that embeds the gateway. */
export function sourceOf(source: ConfigurationSource | null): ConfigurationSource {
  if (source !== null) return source
  throw new GatewayError(
    'conflict',
    'This gateway gets its configuration from the program that embeds it: call reload() there.',
  )
}
