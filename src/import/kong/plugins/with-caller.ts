import type { Fields } from '../../../core/value.ts'
import { textOf } from '../../read.ts'
import type { Fragment, PluginUse } from '../plugin.ts'

/**
 * An authentication method; services receive X-Consumer-Username, as with Kong. Requests without credentials are accepted only if Kong
 * accepts them as an anonymous consumer.
 */
export function withCaller({ config, identities, tell }: PluginUse, methods: Fields): Fragment {
  const anonymous = textOf(config['anonymous']) ?? ''
  const isOpen = anonymous !== '' && !identities.refused.has(anonymous)
  if (isOpen)
    tell(
      'different',
      'Requests without credentials are anonymous, and services get no X-Consumer-Username for them. Kong sends the name of the anonymous consumer.',
    )
  return {
    isOptional: anonymous !== '',
    policies: {
      auth: { methods, ...(isOpen && { public: ['/*'] }) },
      'request-headers': { set: { 'X-Consumer-Username': '{consumer.id}' } },
    },
  }
}
