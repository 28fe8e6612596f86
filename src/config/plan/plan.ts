import { isDeepStrictEqual } from 'node:util'
import { formatPath, type Path } from '../problems.ts'
import { type Warning, warningsOf } from '../warnings.ts'
import { compareTrees, type Difference, startsWith } from './compare.ts'
import { type ChangeClass, changeClasses, type Effect, effectOf } from './effects.ts'
import { type Loss, lossesOf } from './losses.ts'
import type { Side } from './side.ts'
import { treesOf } from './tree.ts'

/** One change of a configuration, without secrets. */
export interface Change {
  readonly kind: 'added' | 'removed' | 'changed'
  /** The place of the change; routes, services, listeners, instances and policies are given by name. */
  readonly path: Path
  /** Values as in GET /config of the admin listener; undefined if there was, or will be, no value. */
  readonly before: unknown
  readonly after: unknown
  /** The most severe of its effects. */
  readonly class: ChangeClass
  /** One sentence each. */
  readonly effects: readonly string[]
  /** Ids of the affected routes for a change in the settings for every route; otherwise null. */
  readonly routes: readonly string[] | null
}

/** The effects of switching to another configuration. */
export interface Plan {
  readonly changes: readonly Change[]
  /** Warnings about the new configuration. */
  readonly warnings: readonly Warning[]
}

/** A difference and its effects. */
interface Draft {
  readonly difference: Difference
  readonly routes: readonly string[] | null
  readonly effects: Effect[]
}

/** Settings for every route, which also appear in each route. */
const GENERAL = new Set<string | number | undefined>(['policies', 'pathParameters'])

/**
 * Compares the meaning of two configurations. Throws ConfigError if a custom policy cannot say what it keeps.
 *
 * 1. Find the differences.
 * 2. Merge those in the settings for every route, with the routes that they affect.
 * 3. Determine the effects of each: by its place, and by the state that policies lose.
 */
export function planChanges(before: Side, after: Side): Plan {
  // 1.
  const differences = [...compareTrees(...treesOf(before, after)), ...orderOf(before, after)]
  // 2.
  const drafts = joined(differences)
  // 3.
  for (const loss of lossesOf(before, after)) assign(loss, drafts)
  return { changes: drafts.map(changeOf), warnings: warningsOf(after) }
}

/** The position of custom policies in the chain also depends on the order of their files. */
function orderOf(before: Side, after: Side): Difference[] {
  const real = { before: commonNames(before, after), after: commonNames(after, before) }
  return isDeepStrictEqual(real.before, real.after) ? [] : [{ path: ['ownPolicies'], ...real, real }]
}

function commonNames({ chain }: Side, other: Side): string[] {
  const others = new Set(other.chain.map(({ name }) => name))
  return chain.flatMap(({ name }) => (others.has(name) ? [name] : []))
}

function joined(differences: readonly Difference[]): Draft[] {
  const reached = new Map<Difference, string[]>()
  const byPlace = new Map<string, Difference[]>()
  for (const difference of differences) {
    if (!GENERAL.has(difference.path[0])) continue
    reached.set(difference, [])
    const place = formatPath(difference.path)
    byPlace.set(place, [...(byPlace.get(place) ?? []), difference])
  }
  const others = differences.filter((difference) => {
    const [routes, id, ...rest] = difference.path
    if (routes !== 'routes' || rest.length === 0) return true
    const general = byPlace.get(formatPath(rest))?.find(({ real }) => isDeepStrictEqual(real, difference.real))
    if (general !== undefined) reached.get(general)?.push(String(id))
    return general === undefined
  })
  return others.map((difference) => ({ difference, routes: reached.get(difference) ?? null, effects: [] }))
}

/** Assigns a loss to the changes that cause it. */
function assign({ policy, scope, options, text }: Loss, drafts: readonly Draft[]): void {
  const isOf = ({ difference: { path }, routes }: Draft): boolean =>
    startsWith(path, [...scope, policy]) || (routes?.includes(String(scope[1])) === true && path[1] === policy)
  const ofPolicy = drafts.filter(isOf)
  const ofOptions = ofPolicy.filter(({ difference: { path } }) => {
    const own = path.slice(path.indexOf(policy) + 1)
    return options.some((option) => startsWith(own, option) || startsWith(option, own))
  })
  const route = scope[0] === 'routes' ? scope.slice(0, 2) : null
  const causes =
    ofOptions.length > 0
      ? ofOptions
      : ofPolicy.length > 0
        ? ofPolicy
        : drafts.filter(
            (draft) =>
              startsWith(draft.difference.path, ['policies', policy]) || (route !== null && makesReplies(draft, route)),
          )
  for (const { effects } of causes) effects.push({ class: 'resets-state', text })
}

/** The parts of a route that determine its replies. */
const SOURCES = ['service', 'rewrite', 'reply', 'redirect', 'files', 'policies']

function makesReplies({ difference: { path }, routes }: Draft, route: Path): boolean {
  if (SOURCES.some((source) => startsWith(path, [...route, source]))) return true
  if (routes?.includes(String(route[1])) === true || startsWith(path, ['ownPolicies'])) return true
  return startsWith(path, ['services']) && path[2] === 'host'
}

function changeOf({ difference, routes, effects: losses }: Draft): Change {
  const { path, before, after, real } = difference
  const own = effectOf(difference)
  // A change that would be harmless otherwise needs no sentence of its own next to the losses.
  const effects = own.class === 'live' && losses.length > 0 ? losses : [own, ...losses]
  const kind = real.before === undefined ? 'added' : real.after === undefined ? 'removed' : 'changed'
  return {
    kind,
    path,
    before,
    after,
    class: changeClasses.find((each) => effects.some((effect) => effect.class === each)) ?? 'live',
    effects: [...new Set(effects.map(({ text }) => text))],
    routes,
  }
}
