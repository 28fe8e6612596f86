import type { Fields } from '../../../core/value.ts'
import { textOf } from '../../read.ts'
import type { Fragment, PluginUse } from '../plugin.ts'

/** A method of auth; services get X-Consumer-Username, as Kong's do. Without credentials only those get in that Kong lets in as an anonymous consumer. */
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
