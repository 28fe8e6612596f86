import type { z } from 'zod'
import { type Holder, Shared } from '../../core/shared.ts'
import type { PolicyToolbox } from '../policy.ts'
import { AuthCounts } from './auth-counts.ts'
import type { Identify, ProofOptions } from './identify.ts'
import { identityOf } from './identity.ts'
import { activeMethods, type methodsSchema } from './index.ts'
import type { Authenticator, CredentialKind } from './method.ts'

/** An authenticator with its counters and its kind of credentials. */
export interface Active {
  readonly counts: AuthCounts
  readonly kind: CredentialKind
  readonly authenticator: Authenticator
}

/** The authenticators of a thread: routes with the same configuration of a method share one, including its keys and caches. */
const authenticators = new Shared<Active>()

/** Those of the configured methods, in their order, for that route. */
export function authenticatorsOf(
  config: z.output<typeof methodsSchema>,
  toolbox: PolicyToolbox,
  route: string,
): readonly Active[] {
  const { holder, metrics, storesKey } = toolbox
  return activeMethods(config).map(([method, options]) => {
    const { name, kind } = method
    const key = JSON.stringify([name, options, method.usesStores?.(options) === true ? storesKey : null])
    const make = (own: Holder): Active => ({
      counts: new AuthCounts(metrics, name, kind),
      kind,
      authenticator: method.create(options, { ...toolbox, holder: own }),
    })
    const active = authenticators.get(holder, key, make)
    const { authenticator } = active
    if (authenticator.takeOver !== undefined) holder.onTakeOver(() => authenticator.takeOver?.(holder, route))
    return active
  })
}

/** The one that replaces all methods: the caller is given by `identify`. */
export function identifiedBy(identify: Identify, options: ProofOptions, { metrics }: PolicyToolbox): Active {
  const authenticator: Authenticator = {
    authenticate(exchange) {
      const consumer = identify(exchange, options)
      return consumer === null ? null : identityOf(consumer)
    },
    conceal() {},
  }
  return { counts: new AuthCounts(metrics, 'assumed', 'assumed'), kind: 'assumed', authenticator }
}
