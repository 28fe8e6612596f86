import type { GatewayConfig } from '../config/schema.ts'
import { GatewayError } from '../core/errors.ts'
import type { TimeSlices } from '../core/time-slices.ts'
import type { Exchange, RequestFacts } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import { knownLine } from '../http/field-lines.ts'
import { type Headers, headersFromWire, wireOf } from '../http/headers.ts'
import type { Reply } from '../http/reply.ts'
import { preflightMethod, preflightNames } from '../policies/preflight.ts'
import { isPlainPath } from '../routing/read-path.ts'
import { type Router, RouterTables, routerOf } from '../routing/router.ts'
import type { CurrentService } from '../services/current-service.ts'
import { type CompiledRoute, Compiler, type SnapshotToolbox } from './compiler.ts'
import { isForGateway, replyToOptions } from './max-forwards.ts'
import type { BuiltInRoute } from './built-in-routes.ts'
import { settlePath } from './path-check.ts'
import { preparePolicies } from './prepare-policies.ts'
import type { Shedder } from './thread-overload.ts'

/** An exchange whose request was received over the network. */
interface Received extends Exchange {
  /** Whether some header name has characters other than letters, digits and hyphens. */
  readonly oddNames: boolean
}

type Match = ReturnType<Router<CompiledRoute>['find']>

/**
 * One immutable compiled configuration.
 *
 * How an exchange is processed:
 * 1. The path is normalized, or the request is rejected.
 * 2. The most specific route is found. If the thread is overloaded, the exchange may be shed here.
 * 3. The route's policies and its end, composed when the configuration was loaded, produce the reply.
 * Headers that a service could confuse with those set or read by the gateway or a policy of the route are removed first. An OPTIONS request
 * to the gateway itself is answered earlier, and a CORS preflight uses the route of the request that it asks about. A request without a
 * route still passes through the general policies, so that its error reply is like all others.
 */
export class Snapshot {
  private readonly router: Router<CompiledRoute>
  private readonly unrouted: Handler
  /** The same for a preflight that no policy may answer. */
  private readonly unanswered: Handler
  private readonly options: Handler
  private readonly overload: Shedder

  /** Compiles the configuration. Rejects with PolicyError. */
  static async build(
    config: GatewayConfig,
    services: ReadonlyMap<string, CurrentService>,
    own: readonly BuiltInRoute[],
    toolbox: SnapshotToolbox,
    slices: TimeSlices,
  ): Promise<Snapshot> {
    await slices.run(preparePolicies(config, toolbox.policies))
    const compiler = new Compiler(config, services, toolbox)
    const tables = new RouterTables<CompiledRoute>()
    for (const route of config.routes) {
      for (const entry of compiler.route(route)) tables.add(entry)
      if (slices.over) await slices.next()
    }
    for (const route of own) tables.add(compiler.own(route))
    return new Snapshot(routerOf(tables), compiler, toolbox.overload)
  }

  private constructor(router: Router<CompiledRoute>, compiler: Compiler, overload: Shedder) {
    this.router = router
    this.overload = overload
    const refuse = (exchange: Exchange): never => {
      throw this.whyUnrouted(exchange)
    }
    this.unrouted = compiler.unrouted(refuse)
    this.unanswered = compiler.unanswered(refuse)
    this.options = compiler.unrouted(replyToOptions)
  }

  /** A snapshot with the same routing, whose chains are created by `compile` when a request first needs them. */
  recompiled(compiler: Compiler, compile: (route: CompiledRoute) => CompiledRoute, overload: Shedder): Snapshot {
    return new Snapshot(anew(this.router, compile), compiler, overload)
  }

  handle(exchange: Received): Reply | Promise<Reply> {
    if (exchange.method === 'OPTIONS' && isForGateway(exchange)) return this.options(exchange)
    // 1.
    if (!isPlainPath(exchange.path) && this.settle(exchange) !== null) return this.unrouted(exchange)
    // 2.
    const requestedMethod = preflightMethod(exchange)
    if (requestedMethod !== null) return this.preflight(exchange, requestedMethod)
    return this.take(exchange, this.find(exchange, exchange.method, exchange.headers))
  }

  /** Why the path of an exchange is rejected, or null if it was normalized; for exchanges that are not handled here. */
  refusalOf(exchange: RequestFacts): string | null {
    return isPlainPath(exchange.path) || exchange.path === '*' ? null : this.settle(exchange)
  }

  /**
   * The policy of the route that the preflight asks about would answer it, whatever methods that route accepts. If that route has none, the
   * preflight is handled like any other request, but no other route's policy may answer in its place.
   */
  private preflight(exchange: Received, method: string): Reply | Promise<Reply> {
    const requested = this.find(exchange, method, withNames(exchange.headers))
    if (requested.found && requested.value.answersPreflights) return this.take(exchange, requested)
    const own = this.find(exchange, exchange.method, exchange.headers)
    if (requested.found && (!own.found || own.value.answersPreflights)) return this.unanswered(exchange)
    return this.take(exchange, own)
  }

  /** Why the path is rejected, or null. For a preflight, the rules of the route it asks about apply in addition to its own. */
  private settle(exchange: RequestFacts): string | null {
    const requestedMethod = preflightMethod(exchange)
    const written = exchange.path
    const refusal = settlePath(this.router, exchange, exchange.method, exchange.headers)
    if (refusal !== null || requestedMethod === null) return refusal
    exchange.path = written
    return settlePath(this.router, exchange, requestedMethod, withNames(exchange.headers))
  }

  private find({ host, path, query, listener }: RequestFacts, method: string, headers: Headers): Match {
    return this.router.find(host, path, method, headers, query, listener)
  }

  // 3.
  private take(exchange: Received, match: Match): Reply | Promise<Reply> {
    if (!match.found) return this.unrouted(exchange)
    exchange.route = match.value.info
    exchange.params = match.params
    if (this.overload.active) {
      const shed = this.overload.shed(exchange, match.value.priority)
      if (shed !== null) return shed
    }
    const { guards } = match.value
    if (guards.always !== null) guards.always(exchange)
    else if (exchange.oddNames) guards.odd(exchange)
    if (exchange.body !== null && exchange.body.length < 0) guards.trailers(exchange)
    return match.value.handle(exchange)
  }

  private whyUnrouted(exchange: Exchange): GatewayError {
    const { path, forms, method, headers } = exchange
    // A rejected path has not been normalized.
    const refusal = forms === null && !isPlainPath(path) ? this.settle(exchange) : null
    if (refusal !== null) return new GatewayError('bad-request', refusal)
    const match = this.find(exchange, method, headers)
    if (match.found) return new GatewayError('forbidden', 'Pages of other origins may not send this request.')
    if (match.allow.length === 0) return new GatewayError('not-found', 'No route matches this request.')
    const allow = match.allow.join(', ')
    return new GatewayError('method-not-allowed', `The method ${method} is not allowed here; allowed: ${allow}.`, {
      headers: [['Allow', allow]],
    })
  }
}

/** A router with the same matches, whose values are mapped by `compile`, each at most once. */
function anew(router: Router<CompiledRoute>, compile: (route: CompiledRoute) => CompiledRoute): Router<CompiledRoute> {
  const made = new Map<CompiledRoute, CompiledRoute>()
  return {
    find(...request) {
      const match = router.find(...request)
      if (!match.found) return match
      const value = made.get(match.value) ?? compile(match.value)
      made.set(match.value, value)
      return { ...match, value }
    },
  }
}

/** Adds the headers that a preflight asks about, with unknown values, to its own. */
function withNames(headers: Headers): Headers {
  // It may ask about any token, including names reserved for the HTTP layer.
  const lines = preflightNames(headers).map((name) => knownLine(name, ''))
  return headersFromWire(wireOf(headers) + lines.join(''))
}
