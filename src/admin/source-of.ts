import { GatewayError } from '../core/errors.ts'
import type { ConfigurationSource } from '../runtime/configuration-source.ts'

/** Where the configuration comes from. Throws GatewayError 'conflict' where that is the program that the gateway is part of. */
export function sourceOf(source: ConfigurationSource | null): ConfigurationSource {
  if (source !== null) return source
  throw new GatewayError(
    'conflict',
    'This gateway gets its configuration from the program that embeds it: call reload() there.',
  )
}
