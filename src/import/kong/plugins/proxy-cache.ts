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
      'Which replies are stored, by method, status and type, is as RFC 9111 says; and replies to callers who show who they are only where the service allows it. See docs/caching.md.',
    )
    if (flagOf(config['cache_control']) !== true)
      tell('different', 'What services say in Cache-Control goes before ttl, which Kong does not look at by default.')
    if (textsOf(config['vary_headers']).length > 0) tell('different', 'vary_headers is left out: services say Vary.')
    if (textOf(config['strategy']) === 'redis') tell('different', 'Its Redis is left out: give stores.redis.')
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
