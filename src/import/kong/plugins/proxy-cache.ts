import { durationText, flagOf, numberOf, textOf, textsOf } from '../../read.ts'
import type { PluginTranslator } from '../plugin.ts'

const DEFAULT_TTL = 300

/** proxy-cache: cache. */
export const proxyCache: PluginTranslator = {
  names: ['proxy-cache', 'proxy-cache-advanced'],
  ignores: [
    'response_code',
    'request_method',
    'content_type',
    'memory',
    'redis',
    'storage_ttl',
    'ignore_uri_case',
    'response_headers',
  ],
  translate({ config, tell }) {
    const ttl = numberOf(config['cache_ttl']) ?? DEFAULT_TTL
    tell(
      'different',
      'Methods, statuses and types that are cached follow RFC 9111. Replies to authenticated requests are stored only if the service allows it. See docs/caching.md.',
    )
    if (flagOf(config['cache_control']) !== true)
      tell('different', 'Cache-Control of services takes precedence over ttl. Kong ignores it by default.')
    if (textsOf(config['vary_headers']).length > 0) tell('different', 'vary_headers was left out: services send Vary.')
    if (textOf(config['strategy']) === 'redis') tell('different', 'Its Redis was left out: configure stores.redis.')
    const parameters = textsOf(config['vary_query_params'])
    return {
      policies: {
        cache: {
          ttl: durationText(ttl * 1000),
          store: 'memory',
          ...(parameters.length > 0 && { query: { only: parameters } }),
        },
      },
    }
  },
}
