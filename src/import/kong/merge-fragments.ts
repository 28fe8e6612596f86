import { type Fields, isFields, itemsOf } from '../../core/value.ts'
import type { AppliedPlugin } from './applied-plugins.ts'

/** All addresses: a route that had to be closed denies them until this is removed. */
const NOBODY = ['0.0.0.0/0', '::/0']

/** The combined translation of all plugins of a route. */
export interface Merged {
  readonly policies: Readonly<Record<string, Fields>>
  readonly target: Fields | null
  readonly timeouts: Fields | null
  readonly path: string | null
  /** Names of the plugins because of which access is denied. */
  readonly closed: readonly string[]
  /** The plugins that each policy is made from. */
  readonly sources: ReadonlyMap<string, readonly AppliedPlugin[]>
}

/** Merges fragments, with the limits of consumers beneath them. */
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
 * The plugins whose credentials count. Kong requires the credentials of each plugin, unless it allows an anonymous consumer; here one
 * method is enough, so only the first mandatory plugin counts.
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

/** Maps are merged; of other values the second one counts, except for lists of removals, which are joined. */
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
