import type { Fields } from '../../core/value.ts'
import type { Fidelity } from '../report.ts'
import type { Identities } from './identities.ts'

/** Where a plugin holds. */
export type Scope = 'global' | 'service' | 'route' | 'consumer' | 'consumer_group'

/** What a plugin becomes, for each route that it holds for. */
export interface Fragment {
  /** Options of policies, by their names. */
  readonly policies?: Readonly<Record<string, Fields>>
  /** A fixed reply or a redirect in place of the service. */
  readonly target?: Fields
  /** Whether its credentials need not be there, as those of another plugin may be (`anonymous`). */
  readonly isOptional?: boolean
  /** Time-outs of the route. */
  readonly timeouts?: Fields
  /** What the service gets in place of the path, as `rewrite.path` has it. */
  readonly path?: string
  /** Why nobody is let in: a guard that cannot be brought over. */
  readonly closed?: string
}

/** A plugin as a translator gets it. */
export interface PluginUse {
  readonly name: string
  readonly config: Fields
  readonly scope: Scope
  readonly identities: Identities
  /** Says how well it was brought over, and what to do. */
  readonly tell: (fidelity: Fidelity, note: string) => void
  /** A variable for a secret, as it stands in a text; `what` says what it is to hold. */
  readonly secret: (name: string, what: string) => string
  /** Has counts be kept in that Redis. */
  readonly useRedis: (redis: Fields) => void
}

/** Brings one plugin of Kong over. One file has one, and `plugins/index.ts` all of them. */
export interface PluginTranslator {
  /** Its names in Kong. */
  readonly names: readonly string[]
  readonly translate: (use: PluginUse) => Fragment
  /** Options that make no difference here, or of which `translate` says enough; of others that it does not look at the report tells. */
  readonly ignores?: readonly string[] | 'all'
  /** Rates for a consumer, or a group of them, that it is for; other plugins are not for single consumers here. */
  readonly ratesFor?: (use: PluginUse) => readonly string[]
}

/** A guard without which a route would be more open than it was. */
export function closed(use: PluginUse, why: string): Fragment {
  use.tell('left out', `${why} Until then all requests are refused: remove ip-access once the route is protected.`)
  return { closed: use.name }
}
