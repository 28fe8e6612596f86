import { GatewayError } from '../core/errors.ts'
import type { ConfigurationSource } from '../runtime/configuration-source.ts'

/** Where the configuration comes from. Throws GatewayError 'conflict' where that is the program that the gateway is part of. */
export function sourceOf(source: ConfigurationSource | null): ConfigurationSource {
  if (source !== null) return source
  throw new GatewayError(
    'conflict',
    'The program that this gateway is part of gives it its configuration: have that call reload().',
  )
}
