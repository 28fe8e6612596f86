import { activePolicies, type PoliciesConfig } from '../config/policy-schema.ts'
import type { GatewayConfig, RouteConfig } from '../config/schema.ts'
import { Bytes } from '../http/body.ts'
import type { Policy, PolicyToolbox } from '../policies/policy.ts'
import { GatewayError } from '../core/errors.ts'
import type { Exchange, RouteInfo } from '../http/exchange.ts'
import { compose, type Handler, type Middleware } from '../http/handler.ts'
import type { Slices } from '../core/slices.ts'
import { knownLine } from '../http/field-lines.ts'
import { Headers, headersFromWire, wireOf } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { preflightMethod, preflightNames } from '../policies/preflight.ts'
import type { RouteEntry } from '../routing/match.ts'
import { isPlainPath } from '../routing/read-path.ts'
import { compileRewrite, inverse, strippedPrefix } from '../routing/rewrite.ts'
import { createRouter, type Router } from '../routing/router.ts'
import { createForward } from '../services/forward.ts'
import type { Service } from '../services/service.ts'
import { generalLimit, largestBody } from './body-limit.ts'
import { endsHere, ownOptions } from './last-hop.ts'
import {
  fieldsInTemplates,
  fieldsOfPolicies,
  guardFields,
  type FieldGuards,
  type ToldOfDropped,
} from './field-guard.ts'
import { OWN, type OwnRoute } from './own-routes.ts'
import { type PathRules, settlePath } from './path-check.ts'
import { createRedirect } from './redirect.ts'
import { mapReplies } from './reply-paths.ts'
import { timed } from './timed-policy.ts'

/** One path of a route once it is compiled. */
interface CompiledRoute extends PathRules {
  readonly info: RouteInfo
  readonly handle: Handler
  /** One of its policies answers preflights. */
  readonly answersPreflights: boolean
  readonly guards: FieldGuards
}

/** What policies are made with, and all of them that there are, in the order of the chain. */
export interface SnapshotToolbox extends PolicyToolbox {
  readonly policies: readonly Policy[]
  /** Whether the time is measured that each policy takes. */
  readonly timings: boolean
  readonly toldOfDropped: ToldOfDropped
}

/** An exchange whose request came over the wire. */
interface Received extends Exchange {
  /** Some field has a name with other characters than letters, digits and hyphens. */
  readonly oddNames: boolean
}

type Match = ReturnType<Router<CompiledRoute>['find']>

const NOWHERE: RouteInfo = { id: '', pattern: '', service: null }

/**
 * One immutable compiled configuration.
 *
 * The way of an exchange through it:
 * 1. The path takes its normal form, or is refused.
 * 2. The most specific route is found.
 * 3. Its policies and what they lead to, composed when the configuration was loaded, answer.
 * Fields that a service could take for those that the gateway or a policy of the route sets or reads are taken out before.
 * OPTIONS that asks the gateway itself is answered beforehand, and a CORS preflight takes the route of the request that
 * it asks about. What no route takes goes through the policies of every route too, so that its error replies are like
 * all others.
 */
export class Snapshot {
  private readonly router: Router<CompiledRoute>
  private readonly unrouted: Handler
  /** The same for a preflight that no policy may answer. */
  private readonly unanswered: Handler
  private readonly options: Handler

  /** Compiles the configuration. Rejects with PolicyError. */
  static async build(
    config: GatewayConfig,
    services: ReadonlyMap<string, Service>,
    own: readonly OwnRoute[],
    toolbox: SnapshotToolbox,
    slices: Slices,
  ): Promise<Snapshot> {
    const largest = largestBody(config, toolbox.policies)
    const entries: RouteEntry<CompiledRoute>[] = []
    for (const route of config.routes) {
      entries.push(...compileRoute(route, config, largest, services, toolbox))
      if (slices.over) await slices.next()
    }
    entries.push(...own.map((route) => compileOwn(route, config.policies, toolbox)))
    return new Snapshot(createRouter(entries), config.policies, toolbox)
  }

  private constructor(router: Router<CompiledRoute>, policies: PoliciesConfig, toolbox: SnapshotToolbox) {
    this.router = router
    const refuse = (exchange: Exchange): never => {
      throw this.whyUnrouted(exchange)
    }
    this.unrouted = chain(policies, policies, toolbox, NOWHERE, refuse)
    this.unanswered = chain(policies, policies, toolbox, NOWHERE, refuse, isForOthers)
    this.options = chain(policies, policies, toolbox, NOWHERE, ownOptions)
  }

  handle(exchange: Received): Reply | Promise<Reply> {
    if (exchange.method === 'OPTIONS' && endsHere(exchange)) return this.options(exchange)
    // 1.
    if (!isPlainPath(exchange.path) && this.settle(exchange) !== null) return this.unrouted(exchange)
    // 2.
    const asked = preflightMethod(exchange)
    if (asked !== null) return this.preflight(exchange, asked)
    return this.take(exchange, this.find(exchange, exchange.method, exchange.headers))
  }

  /**
   * The policy of the route that the request asked about would take answers, whatever methods that route is for. Where
   * it has none, the preflight is a request like any other, but no other route's policy may speak for that one.
   */
  private preflight(exchange: Received, method: string): Reply | Promise<Reply> {
    const asked = this.find(exchange, method, withNames(exchange.headers))
    if (asked.found && asked.value.answersPreflights) return this.take(exchange, asked)
    const own = this.find(exchange, exchange.method, exchange.headers)
    if (asked.found && (!own.found || own.value.answersPreflights)) return this.unanswered(exchange)
    return this.take(exchange, own)
  }

  /** Why the path is refused, or null. A preflight has the route that it asks about besides its own. */
  private settle(exchange: Exchange): string | null {
    const asked = preflightMethod(exchange)
    const written = exchange.path
    const refusal = settlePath(this.router, exchange, exchange.method, exchange.headers)
    if (refusal !== null || asked === null) return refusal
    exchange.path = written
    return settlePath(this.router, exchange, asked, withNames(exchange.headers))
  }

  private find({ host, path, query }: Exchange, method: string, headers: Headers): Match {
    return this.router.find(host, path, method, headers, query)
  }

  // 3.
  private take(exchange: Received, match: Match): Reply | Promise<Reply> {
    if (!match.found) return this.unrouted(exchange)
    exchange.route = match.value.info
    exchange.params = match.params
    const { guards } = match.value
    if (guards.always !== null) guards.always(exchange)
    else if (exchange.oddNames) guards.odd(exchange)
    if (exchange.body !== null && exchange.body.length < 0) guards.trailers(exchange)
    return match.value.handle(exchange)
  }

  private whyUnrouted(exchange: Exchange): GatewayError {
    const { path, forms, method, headers } = exchange
    // A path that was refused is still as it came.
    const refusal = forms === null && !isPlainPath(path) ? this.settle(exchange) : null
    if (refusal !== null) return new GatewayError('bad-request', refusal)
    const match = this.find(exchange, method, headers)
    if (match.found) return new GatewayError('forbidden', 'Pages of other origins may not send that request.')
    if (match.allow.length === 0) return new GatewayError('not-found', 'No route leads there.')
    const allow = match.allow.join(', ')
    return new GatewayError('method-not-allowed', `The method ${method} is not allowed here; allowed: ${allow}.`, {
      headers: [['Allow', allow]],
    })
  }
}

/** The fields of a preflight together with those that it asks about, whose values it does not know. */
function withNames(headers: Headers): Headers {
  // Any token may be asked about, also those that only the wire writes.
  const asked = preflightNames(headers).map((name) => knownLine(name, ''))
  return headersFromWire(wireOf(headers) + asked.join(''))
}

function isForOwn({ aroundOwnEndpoints = false }: Policy): boolean {
  return aroundOwnEndpoints
}

function isForOthers({ answersPreflights = false }: Policy): boolean {
  return !answersPreflights
}

/** The policies around `end`, of those that `takes` takes; `general` are those of every route. */
function chain(
  policies: PoliciesConfig,
  general: PoliciesConfig,
  toolbox: SnapshotToolbox,
  route: RouteInfo,
  end: Handler,
  takes: (policy: Policy) => boolean = () => true,
): Handler {
  const generalOptions = new Map(activePolicies(general, toolbox.policies))
  const active = activePolicies(policies, toolbox.policies).filter(([policy]) => takes(policy))
  const steps = active.map(([policy, options]) => {
    const step = make(() => policy.create(options, toolbox, route, generalOptions.get(policy) ?? null), policy, route)
    return toolbox.timings ? timed(policy.name, step, toolbox.clock) : step
  })
  return compose(steps, unlessRefused(end))
}

/** A request that was refused when it was read gets its refusal where it would be answered, with what policies add. */
function unlessRefused(end: Handler): Handler {
  return (exchange) => {
    if (exchange.refusal !== null) throw exchange.refusal
    return end(exchange)
  }
}

/** A policy that cannot be made of its options; the message says which one, where, and why. */
export class PolicyError extends Error {}

function make(create: () => Middleware, { name }: Policy, { id }: RouteInfo): Middleware {
  try {
    return create()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const what = `policy "${name}" could not be set up`
    // Policies of the user's own say so themselves.
    const message = why.startsWith(what) ? why : `${what} for route "${id}": ${why}`
    throw new PolicyError(message, { cause: error })
  }
}

/** One entry for each path, as the path is what the logs and metrics show of a route. */
function compileRoute(
  route: RouteConfig,
  config: GatewayConfig,
  largest: number,
  services: ReadonlyMap<string, Service>,
  toolbox: SnapshotToolbox,
): RouteEntry<CompiledRoute>[] {
  const active = activePolicies(route.policies, toolbox.policies)
  const limit = generalLimit(config.limits.body, largest, route.policies, toolbox.policies)
  const answersPreflights = active.some(([policy]) => policy.answersPreflights === true)
  const guards = guardFields(
    [
      ...config.routes.flatMap(({ match }) => Object.keys(match.headers ?? {})),
      ...fieldsOfPolicies(active),
      ...fieldsInTemplates(route.redirect),
    ],
    toolbox.toldOfDropped,
  )
  const rules = { encodedSlashes: route.encodedSlashes, pathParameters: route.pathParameters ?? config.pathParameters }
  return route.match.path.map((pattern) => {
    const info: RouteInfo = { id: route.id, pattern, service: route.service ?? null, logged: route.log }
    const handle = compose(
      limit,
      chain(route.policies, config.policies, toolbox, info, endOf(route, pattern, services)),
    )
    const value = { ...rules, info, handle, guards, answersPreflights }
    return { match: { ...route.match, path: [pattern] }, value }
  })
}

/** What a route leads to: the configuration has seen to it that it is one thing. */
function endOf(route: RouteConfig, pattern: string, services: ReadonlyMap<string, Service>): Handler {
  if (route.reply !== undefined)
    return fixedReply(route.reply.status, Object.entries(route.reply.headers), route.reply.body)
  if (route.redirect !== undefined) return createRedirect(route.redirect, pattern, route.match.path)
  const service = services.get(route.service ?? '')
  if (service === undefined) throw new Error(`route ${route.id} leads to no known service`)
  const { rewrite, timeouts = {} } = route
  const prefix = rewrite === undefined ? null : strippedPrefix(rewrite)
  const forward = createForward(service, {
    rewrite: rewrite === undefined ? null : compileRewrite(rewrite),
    prefixField: prefix === null ? '' : knownLine('X-Forwarded-Prefix', prefix),
    timeouts: service.timeoutsWith(timeouts),
  })
  return rewrite?.mapReplies === true ? mapReplies(forward, compileRewrite(inverse(rewrite))) : forward
}

function fixedReply(status: number, fields: readonly (readonly [string, string])[], text: string): Handler {
  const raw = Headers.of(fields).toWire()
  const body = text === '' ? null : Bytes.fromText(text).kept()
  return () => new Reply(status, headersFromWire(raw), body)
}

/** Of the policies, few are for the gateway's own endpoints, as what names the exchange. */
function compileOwn(
  { path, handler }: OwnRoute,
  policies: PoliciesConfig,
  toolbox: SnapshotToolbox,
): RouteEntry<CompiledRoute> {
  const info: RouteInfo = { id: `${OWN}${path.slice(1)}`, pattern: path, service: null }
  const handle = chain(policies, policies, toolbox, info, handler, isForOwn)
  const guards = guardFields([], toolbox.toldOfDropped)
  const value = {
    info,
    handle,
    guards,
    answersPreflights: false,
    encodedSlashes: false,
    pathParameters: 'keep',
  } as const
  return { match: { path: [path], method: ['GET'] }, value }
}
