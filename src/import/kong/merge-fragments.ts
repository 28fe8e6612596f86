import { type Fields, isFields, itemsOf } from '../../core/value.ts'
import type { AppliedPlugin } from './applied-plugins.ts'

/** Nobody: what is closed has this, until it is taken out. */
const NOBODY = ['0.0.0.0/0', '::/0']

/** What all plugins of a route make of it together. */
export interface Merged {
  readonly policies: Readonly<Record<string, Fields>>
  readonly target: Fields | null
  readonly timeouts: Fields | null
  readonly path: string | null
  /** Names of the plugins for whose sake nobody is let in. */
  readonly closed: readonly string[]
  /** By the policy, the plugins that it is made of. */
  readonly sources: ReadonlyMap<string, readonly AppliedPlugin[]>
}

/** Puts fragments together, with the limits of consumers beneath them. */
export function mergeFragments(plugins: readonly AppliedPlugin[], limits: Fields | null): Merged {
  const policies = new Map<string, Fields>(limits === null ? [] : [['rate-limit', limits]])
  const sources = new Map<string, AppliedPlugin[]>()
  const closedBy: string[] = []
  const signedIn = signIn(plugins)
  let target: Fields | null = null
  let timeouts: Fields | null = null
  let path: string | null = null
  for (const plugin of plugins) {
    const { fragment } = plugin
    for (const [name, options] of Object.entries(fragment.policies ?? {})) {
      if (name === 'auth' && options['methods'] !== undefined && !signedIn.includes(plugin)) continue
      policies.set(name, merged(policies.get(name) ?? {}, options))
      sources.set(name, [...(sources.get(name) ?? []), plugin])
    }
    target = fragment.target ?? target
    timeouts = fragment.timeouts ?? timeouts
    path = fragment.path ?? path
    if (fragment.closed !== undefined) closedBy.push(fragment.closed)
  }
  const auth = policies.get('auth')
  if (auth !== undefined && auth['methods'] === undefined) {
    policies.delete('auth')
    for (const { entity, name } of sources.get('auth') ?? []) {
      entity.entry.tell(
        'left out',
        'No authentication plugin applies here, so all requests are refused. Add auth.methods, and remove ip-access.',
      )
      closedBy.push(name)
    }
  }
  if (auth !== undefined && signedIn.some(({ fragment }) => fragment.policies?.['auth']?.['public'] === undefined)) {
    const { public: _, ...rest } = auth
    if (auth['methods'] !== undefined) policies.set('auth', rest)
  }
  if (closedBy.length > 0) policies.set('ip-access', { deny: NOBODY })
  return { policies: Object.fromEntries(policies), target, timeouts, path, closed: [...new Set(closedBy)], sources }
}

/**
 * The plugins whose credentials count. Of several Kong wants the credentials of each, unless it may let anybody in as an anonymous consumer;
 * here one method is enough, so only the first of those that must be there counts.
 */
function signIn(plugins: readonly AppliedPlugin[]): readonly AppliedPlugin[] {
  const all = plugins.filter(({ fragment }) => fragment.policies?.['auth']?.['methods'] !== undefined)
  const required = all.filter(({ fragment }) => fragment.isOptional !== true)
  const [first, ...others] = required
  if (first === undefined) return all
  for (const { entity } of others)
    entity.entry.tell(
      'different',
      `Kong requires both these credentials and those of ${first.name}. Here only those of ${first.name} are checked.`,
    )
  return [first]
}

/** Maps are put together; of anything else the second counts, but for lists of what goes. */
function merged(a: Fields, b: Fields): Fields {
  const result: Record<string, unknown> = { ...a }
  for (const [key, value] of Object.entries(b)) {
    const known = result[key]
    if (isFields(known) && isFields(value)) result[key] = merged(known, value)
    else if (Array.isArray(known) && Array.isArray(value) && (key === 'remove' || key === 'omit'))
      result[key] = [...new Set([...itemsOf(known), ...itemsOf(value)])]
    else result[key] = value
  }
  return result
}
