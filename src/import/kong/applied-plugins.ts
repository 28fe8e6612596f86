import { fieldOf, type Fields, isFields } from '../../core/value.ts'
import { flagOf, textOf } from '../read.ts'
import { tierName } from './consumer-facts.ts'
import type { Context } from './context.ts'
import type { Entity } from './entities.ts'
import { isGuard, translatorOf } from './guards.ts'
import type { Identities } from './identities.ts'
import { leftOut } from './plugins/left-out.ts'
import { closed, type Fragment, type PluginTranslator, type PluginUse, type Scope } from './plugin.ts'

/** A plugin that applies somewhere, and its translation there. */
export interface AppliedPlugin {
  readonly entity: Entity
  readonly name: string
  readonly fragment: Fragment
}

/** The plugins of a file by scope. If several of the same name apply to one scope, the last one counts. */
export class AppliedPlugins {
  private readonly global = new Map<string, AppliedPlugin>()
  private readonly ofEntity = new Map<Entity, Map<string, AppliedPlugin>>()
  /** Rates of single consumers, by name, and of tiers. */
  private readonly consumers = new Map<string, unknown>()
  private readonly tiers = new Map<string, unknown>()
  private readonly context: Context
  private readonly identities: Identities
  /** Options that decK lets several plugins share. */
  private readonly shared: unknown

  constructor(context: Context, identities: Identities, shared: unknown) {
    this.context = context
    this.identities = identities
    this.shared = shared
    for (const kind of ['plugins', 'consumer_group_plugins'])
      for (const entity of context.entities.ofKind(kind)) this.apply(entity)
  }

  /** The global plugins. */
  everywhere(): readonly AppliedPlugin[] {
    return [...this.global.values()]
  }

  /** The plugins of a route or service itself. */
  of(entity: Entity): readonly AppliedPlugin[] {
    return [...(this.ofEntity.get(entity)?.values() ?? [])]
  }

  /** The plugins that apply to a route: its own take precedence over those of its service, and these over global ones. */
  forRoute(route: Entity, service: Entity | null): readonly AppliedPlugin[] {
    const ofService = service === null ? undefined : this.ofEntity.get(service)
    return [...new Map([...this.global, ...(ofService ?? []), ...(this.ofEntity.get(route) ?? [])]).values()]
  }

  /** Limits of consumers and consumer groups, which apply wherever limits apply, and also elsewhere; null if there are none. */
  get limits(): Fields | null {
    if (this.consumers.size + this.tiers.size === 0) return null
    return {
      tiers: { authenticated: false, unauthenticated: false, api_key: false, ...Object.fromEntries(this.tiers) },
      ...(this.consumers.size > 0 && { consumers: Object.fromEntries(this.consumers) }),
    }
  }

  private apply(entity: Entity): void {
    const { entry, fields } = entity
    const { entities } = this.context
    const name = textOf(fields['name']) ?? ''
    if (name === '') return entry.tell('left out', 'It has no name.')
    if (flagOf(fields['enabled']) === false) return entry.tell('exact', 'It is disabled, so it is not imported.')
    const places = ['route', 'service', 'consumer', 'consumer_group'].map((field) => entities.of(entity, field))
    if (places.includes(undefined)) return entry.tell('left out', 'Its route, service or consumer is not in the file.')
    const [route = null, service = null, consumer = null, group = null] = places
    if (consumer !== null || group !== null)
      return this.applyToConsumers(entity, name, route ?? service, consumer, group)
    const use = this.useOf(entity, name, route !== null ? 'route' : service !== null ? 'service' : 'global')
    const target = route ?? service
    const known = target === null ? this.global : (this.ofEntity.get(target) ?? new Map<string, AppliedPlugin>())
    if (target !== null) this.ofEntity.set(target, known)
    known.set(name, { entity, name, fragment: translated(use) })
  }

  /** Single consumers can only have limits of their own, nothing else. */
  private applyToConsumers(
    entity: Entity,
    name: string,
    place: Entity | null,
    consumer: Entity | null,
    group: Entity | null,
  ): void {
    const { entry } = entity
    const ratesFor = translatorOf(name)?.ratesFor
    if (ratesFor !== undefined && place === null) {
      const rates = ratesFor(this.useOf(entity, name, consumer === null ? 'consumer_group' : 'consumer'))
      if (rates.length === 0) return entry.tell('left out', 'It has no limit that can be imported.')
      const quota = rates.length === 1 ? rates[0] : rates
      if (consumer?.entry.name === '' || consumer?.entry.name === '__proto__')
        return entry.tell('left out', 'Its consumer has no usable name.')
      if (consumer !== null) this.consumers.set(consumer.entry.name, quota)
      else if (group !== null) this.tiers.set(tierName(group), quota)
      return
    }
    if (place !== null && isGuard(name)) {
      const fragment = closed(
        this.useOf(entity, name, 'route'),
        'A plugin cannot be limited to one consumer on one route or service.',
      )
      const known = this.ofEntity.get(place) ?? new Map<string, AppliedPlugin>()
      this.ofEntity.set(place, known.set(`${name} of consumers`, { entity, name, fragment }))
      return
    }
    const what =
      isGuard(name) && consumer !== null ? ' Its credentials were left out, so its requests are refused.' : ''
    entry.tell(
      'left out',
      `Only rate limits can be set for single consumers and consumer groups, for all routes at once.${what}`,
    )
  }

  private useOf(entity: Entity, name: string, scope: Scope): PluginUse {
    const { context } = this
    const { entry, fields } = entity
    const shared = fieldOf(this.shared, textOf(fields['_config']) ?? '')
    const own = isFields(fields['config']) ? fields['config'] : {}
    return {
      name,
      config: isFields(shared) ? { ...shared, ...own } : own,
      scope,
      identities: this.identities,
      tell: (fidelity, note) => entry.tell(fidelity, note),
      secret: (wanted, what) => context.variables.secret(wanted, what, entry),
      useRedis(redis) {
        const { stores } = context
        stores.redis ??= redis
        if (stores.redis['url'] !== redis['url'])
          entry.tell('different', 'It uses another Redis than the other limits. All limits share stores.redis.')
      },
    }
  }
}

/** The translation of a plugin, including one that has no translator. */
function translated(use: PluginUse): Fragment {
  const { name, tell, config } = use
  const translator = translatorOf(name)
  if (translator !== undefined) return lookedAt(translator, use)
  const known = Object.hasOwn(leftOut, name) ? leftOut[name] : undefined
  if (known === undefined) {
    const options = Object.keys(config)
    const shown = options.length === 0 ? '' : ` Its options: ${options.join(', ')}.`
    return closed(
      use,
      `The plugin ${name} is unknown, and may protect the route: write a custom policy, see docs/writing-policies.md.${shown}`,
    )
  }
  if (known.guards) return closed(use, known.advice)
  tell('left out', known.advice)
  return {}
}

/** Reports options that are set but have no effect in the translation. */
function lookedAt({ translate, ignores = [] }: PluginTranslator, use: PluginUse): Fragment {
  const seen = new Set(ignores === 'all' ? Object.keys(use.config) : ignores)
  const config = new Proxy(use.config, {
    get(target, option) {
      if (typeof option !== 'string') return undefined
      seen.add(option)
      return Object.hasOwn(target, option) ? target[option] : undefined
    },
  })
  const fragment = translate({ ...use, config })
  const others = Object.keys(use.config).filter((option) => !seen.has(option) && says(use.config[option]))
  if (others.length > 0 && fragment.closed === undefined)
    use.tell('different', `Options that were not imported: ${others.join(', ')}.`)
  return fragment
}

function says(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(says)
  return value !== null && value !== undefined && value !== false && value !== ''
}
