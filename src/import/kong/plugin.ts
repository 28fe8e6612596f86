import type { Fields } from '../../core/value.ts'
import type { Fidelity } from '../report.ts'
import type { Identities } from './identities.ts'

/** Where a plugin applies. */
export type Scope = 'global' | 'service' | 'route' | 'consumer' | 'consumer_group'

/** The translation of a plugin, for each route that it applies to. */
export interface Fragment {
  /** Options of policies, by policy name. */
  readonly policies?: Readonly<Record<string, Fields>>
  /** A fixed reply or a redirect instead of the service. */
  readonly target?: Fields
  /** Whether its credentials are optional, because those of another plugin may be used instead (`anonymous`). */
  readonly isOptional?: boolean
  /** Timeouts of the route. */
  readonly timeouts?: Fields
  /** Replaces the path sent to the service, in the form of `rewrite.path`. */
  readonly path?: string
  /** Why all access is denied: a guard that cannot be translated. */
  readonly closed?: string
}

/** A plugin as passed to a translator. */
export interface PluginUse {
  readonly name: string
  readonly config: Fields
  readonly scope: Scope
  readonly identities: Identities
  /** Reports how faithful the translation is, and what to do. */
  readonly tell: (fidelity: Fidelity, note: string) => void
  /** A reference to a new variable for a secret; `what` describes the value that it should have. */
  readonly secret: (name: string, what: string) => string
  /** Keeps counts in that Redis. */
  readonly useRedis: (redis: Fields) => void
}

/** Translates one Kong plugin. There is one file for each, and `plugins/index.ts` lists all of them. */
export interface PluginTranslator {
  /** Its names in Kong. */
  readonly names: readonly string[]
  readonly translate: (use: PluginUse) => Fragment
  /** Options that make no difference here, or that `translate` reports on itself; other options that it does not read are reported. */
  readonly ignores?: readonly string[] | 'all'
  /** Rates for the consumer or consumer group that the plugin is for; other plugins cannot be for single consumers here. */
  readonly ratesFor?: (use: PluginUse) => readonly string[]
}

/** A guard without which a route would be more open than before. */
export function closed(use: PluginUse, why: string): Fragment {
  use.tell('left out', `${why} Until then all requests are refused: remove ip-access once the route is protected.`)
  return { closed: use.name }
}
