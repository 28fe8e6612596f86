import { BUILT_IN_PREFIX } from '../front/built-in-routes.ts'
import type { LoggedRequest } from './logged-request.ts'
import type { EqualityCache } from './equality-cache.ts'
import { DECIDED_BEFORE, type Ending, type Outcome, type Side } from './side.ts'

/** The result for a request of the log. */
export type Verdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'changed'; readonly before: Ending; readonly after: Ending }
  /** What the requests do, as in "depend on …". */
  | { readonly kind: 'undecided'; readonly reasons: readonly string[] }

const SAME: Verdict = { kind: 'same' }

/**
 * Determines how another configuration would handle requests that have already been answered.
 *
 * 1. A request that was answered before routing has the same outcome again.
 * 2. The request is handled by the configuration that originally answered it, if known, and by the other one.
 * 3. If the outcome depends on something that is not in the log, it is undecided, unless everything relevant is the same in both.
 * 4. Otherwise the outcome in the log is compared with the simulated one.
 */
export class Judge {
  private readonly before: Side | null
  private readonly after: Side
  private readonly same: EqualityCache
  private readonly unchanged = new Map<string, boolean>()
  private readonly differences = new Map<string, readonly string[]>()
  /** Whether requests take the same routes in both, and the settings for all of them are the same. */
  private readonly sameFrame: boolean
  /** When the log begins, in milliseconds since 1970-01-01T00:00:00Z. */
  private begin: number | null = null

  constructor(before: Side | null, after: Side, same: EqualityCache) {
    this.before = before
    this.after = after
    this.same = same
    this.sameFrame =
      before !== null &&
      same.of(before.config.policies, after.config.policies) &&
      same.of(tableOf(before), tableOf(after))
  }

  /** Ids that no configuration has are treated as one: a log may contain any number of them. */
  private idOf(route: string): string {
    return this.before?.route(route) === undefined && this.after.route(route) === undefined ? '' : route
  }

  /** The verdict on a request; requests must be passed in chronological order. */
  judge(request: LoggedRequest): Verdict | Promise<Verdict> {
    this.begin ??= request.start
    // 1.
    if (isEarly(request)) return SAME
    if (isPreflight(request) && this.answersPreflights(request.route))
      return this.settle(request, ['depend on what a preflight requests'])
    if (request.cut && request.query === '')
      return this.settle(request, ['have a path that is longer than what is logged'])
    // 2.
    const { before } = this
    const replayed = before === null ? null : before.run(request, null)
    if (replayed instanceof Promise) return replayed.then((outcome) => this.goOn(request, outcome))
    return this.goOn(request, replayed)
  }

  private goOn(request: LoggedRequest, replayed: Outcome | null): Verdict | Promise<Verdict> {
    const outcome = this.after.run(request, this.before)
    if (outcome instanceof Promise) return outcome.then((after) => this.decide(request, replayed, after))
    return this.decide(request, replayed, outcome)
  }

  private decide(request: LoggedRequest, replayed: Outcome | null, after: Outcome): Verdict {
    // 3.
    const reasons = [...after.doubts, ...this.doubtsOfLog(request, replayed, after)]
    if (reasons.length > 0) return this.settle(request, reasons)
    // 4.
    const { route, status, service, code } = request
    if (route === after.route && service === after.service && code === after.code && status === after.status)
      return SAME
    return { kind: 'changed', before: { route, status, service, code }, after }
  }

  /** The request is undecided, unless nothing relevant differs. */
  private settle({ route }: LoggedRequest, reasons: readonly string[]): Verdict {
    return this.isUnchanged(this.idOf(route)) ? SAME : { kind: 'undecided', reasons: [...new Set(reasons)] }
  }

  /** Why the simulation is not reliable for the request. */
  private doubtsOfLog(request: LoggedRequest, replayed: Outcome | null, after: Outcome): readonly string[] {
    if (replayed === null) return this.doubtsWithoutBefore(request, after)
    if (replayed.doubts.length === 0 && !fits(request, replayed)) return [whyNotFitting(request, replayed)]
    return after.arrived || !DECIDED_BEFORE.has(after.code ?? '')
      ? this.differing(this.idOf(request.route), after.route)
      : []
  }

  private doubtsWithoutBefore({ code, start, user }: LoggedRequest, after: Outcome): readonly string[] {
    if (code === after.code) return []
    const isNew = start - (this.begin ?? start) < this.after.longestWindow
    if (code === 'rate-limited' && isNew) return ['depend on what was counted before the log begins']
    if (code === 'forbidden')
      return ['were forbidden for a reason that the log does not contain: add the old configuration with --config']
    if (code === 'rate-limited' && user === null && after.code === 'unauthorized')
      return ['depend on how often credentials were refused before']
    return []
  }

  /** Names of policies that depend on more than the log contains and that differ. */
  private differing(was: string, is: string): readonly string[] {
    const key = JSON.stringify([was, is])
    const known = this.differences.get(key)
    if (known !== undefined) return known
    const made = this.before === null ? [] : this.compare(this.before, was, is)
    this.differences.set(key, made)
    return made
  }

  private compare(before: Side, was: string, is: string): string[] {
    const [old, next] = [before.unknowable(was), this.after.unknowable(is)]
    const names = [...new Set([...old.keys(), ...next.keys()])].filter(
      (name) => old.has(name) !== next.has(name) || !this.same.of(old.get(name), next.get(name)),
    )
    const found = names.map((name) => `depend on the policy ${name}, which has changed and uses more than is logged`)
    const split = this.after.route(is)?.split
    if (split !== undefined && !this.same.of(before.route(was)?.split, split))
      found.push(`depend on the split of the route ${is}, which chooses at random`)
    return found
  }

  /** Whether everything relevant to the requests of a route is the same in both configurations. */
  private isUnchanged(id: string): boolean {
    const known = this.unchanged.get(id)
    if (known !== undefined) return known
    const made = this.sameFrame && this.same.of(this.before?.route(id), this.after.route(id))
    this.unchanged.set(id, made)
    return made
  }

  private answersPreflights(route: string): boolean {
    return (this.before ?? this.after).answersPreflights(route)
  }
}

/** What determines the route of a request. */
function tableOf({ config: { routes, pathParameters } }: Side): object {
  return {
    pathParameters,
    routes: routes.map(({ id, match, encodedSlashes, pathParameters: own }) => ({ id, match, encodedSlashes, own })),
  }
}

/** Refused while it was read, answered by a listener or an ACME challenge, or by one of the gateway's own endpoints. */
function isEarly({ route, code }: LoggedRequest): boolean {
  if (route.startsWith(BUILT_IN_PREFIX)) return true
  return route === '' && (code === null || !DECIDED_BEFORE.has(code))
}

/** As far as the log tells. */
function isPreflight({ method, instance, status, code }: LoggedRequest): boolean {
  return method === 'OPTIONS' && instance === null && (code === 'forbidden' || (code === null && status === 204))
}

function fits({ route, status, service, code }: LoggedRequest, replayed: Outcome): boolean {
  return (
    route === replayed.route &&
    service === replayed.service &&
    code === replayed.code &&
    (replayed.status === null || status === replayed.status)
  )
}

function whyNotFitting({ route, code }: LoggedRequest, replayed: Outcome): string {
  if (code === 'rate-limited' || replayed.code === 'rate-limited')
    return 'depend on what was counted before the log begins, or elsewhere'
  if (route !== replayed.route) return 'took another route than in the configuration of --config'
  return 'ended differently than in the configuration of --config'
}
