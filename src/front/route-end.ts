import type { RouteConfig } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Holder } from '../core/shared.ts'
import { createFiles } from '../files/handler.ts'
import type { Exchange, RouteInfo } from '../http/exchange.ts'
import { knownLine } from '../http/field-lines.ts'
import { editReplies, type Handler } from '../http/handler.ts'
import { changedFor } from '../policies/change-request.ts'
import { compileHeaderEdits } from '../policies/header-edits.ts'
import { parsePattern } from '../routing/pattern.ts'
import { compileHost, compilePath, compileRewrite, inverse, isOfPrefix, strippedPrefix } from '../routing/rewrite.ts'
import type { CurrentService } from '../services/current-service.ts'
import { createForward } from '../services/forward.ts'
import type { ForwardOptions } from '../services/request-form.ts'
import { Split } from '../services/split/split.ts'
import { giveCookie } from '../services/sticky/give-cookie.ts'
import { createReply } from './fixed-reply.ts'
import { Mirror, type MirrorConfig, mirrored } from './mirror.ts'
import { createRedirect } from './redirect.ts'
import { mapReplies } from './reply-paths.ts'
import { RoutePath } from './route-path.ts'

type SplitRoute = NonNullable<RouteConfig['split']>

/** Creates the handler that forwards exchanges to a service. */
export type MakeForward = (service: CurrentService, options: ForwardOptions) => Handler

/** The dependencies of route ends. */
export interface EndTools {
  readonly forward?: MakeForward
  readonly services: ReadonlyMap<string, CurrentService>
  readonly clock: Clock
  readonly random: () => number
  readonly metrics: Metrics
  readonly holder: Holder
}

/** The end of a route's path; configuration validation guarantees that there is exactly one kind. */
export function routeEnd(route: RouteConfig, about: RouteInfo, tools: EndTools): Handler {
  if (route.reply !== undefined) return createReply(route.reply, route.match.path)
  if (route.redirect !== undefined) return createRedirect(route.redirect, about.pattern, route.match.path)
  if (route.files !== undefined)
    return createFiles({
      options: route.files,
      holder: tools.holder,
      rewrite: pathOf(route, about),
      clock: tools.clock,
    })
  const end =
    route.split === undefined
      ? serviceEnd(route.service ?? '', route, about, tools)
      : splitBetween(route.split, route, about, tools)
  return route.mirror === undefined ? end : mirrored(end, mirrorsOf(route.mirror, route, about, tools))
}

function mirrorsOf(mirrors: readonly MirrorConfig[], route: RouteConfig, about: RouteInfo, tools: EndTools): Mirror[] {
  const { metrics, random, services } = tools
  return mirrors.map(({ service, share }) => {
    const { deadlines } = knownService(service, route, services).current
    // When a service is overloaded, mirrored copies are shed first.
    const forward = serviceEnd(service, { ...route, priority: 'low' }, about, tools)
    const dropped = metrics.counter('sallyport_mirrored_requests_dropped_total', { service })
    return new Mirror({ share, route: { ...about, service }, forward, dropped, deadlines, random })
  })
}

/** From the choice on, the exchange belongs to a route to the chosen service. */
function splitBetween(split: SplitRoute, route: RouteConfig, about: RouteInfo, tools: EndTools): Handler {
  const paths = new Map(
    Object.keys(split.services).map((service) => {
      const part = { ...about, service }
      const end = withEdits(serviceEnd(service, route, about, tools), split.headers[service] ?? {}, part)
      return [service, new RoutePath(part, end)]
    }),
  )
  const chooser = new Split(split, tools.random)
  const { cookie, keep } = split
  const choose = (exchange: Exchange): string => chooser.choose(exchange)
  const end = endOfSplit(choose, paths, about)
  if (cookie === undefined || keep === undefined) return end
  const seconds = keep === true ? Number.POSITIVE_INFINITY : Math.ceil(keep / 1000)
  const withCookie = editReplies(end, (reply, exchange) => {
    const { service } = exchange.route
    // A failed request is no reason to stay with the service, and a 304 reply refers to a cached response shared by all clients.
    if (exchange.error !== null || reply.status === 304 || service === null) return
    giveCookie(reply, `${cookie}=${service}`, seconds, exchange.client.scheme)
  })
  return (exchange) => (chooser.isKept(exchange) ? end(exchange) : withCookie(exchange))
}

function endOfSplit(
  choose: (exchange: Exchange) => string,
  paths: ReadonlyMap<string, RoutePath>,
  about: RouteInfo,
): Handler {
  return (exchange) => {
    const name = choose(exchange)
    const chosen = paths.get(name)
    if (chosen === undefined) throw new Error(`the route ${about.id} does not lead to the service ${name}`)
    exchange.route = chosen
    return RoutePath.goOn(exchange)
  }
}

/** Changes headers of requests to, and replies from, one service of a split. */
function withEdits(end: Handler, { request, response }: SplitRoute['headers'][string], part: RouteInfo): Handler {
  const forClient = response === undefined ? null : compileHeaderEdits(response, part, 'client')
  const edited: Handler =
    forClient === null
      ? end
      : editReplies(end, (reply, exchange) => {
          if (exchange.error === null) forClient(reply.headers, exchange)
        })
  if (request === undefined) return edited
  const forService = compileHeaderEdits(request, part, 'service')
  return changedFor(edited, (exchange) => forService(exchange.headers, exchange))
}

function serviceEnd(name: string, route: RouteConfig, { pattern }: RouteInfo, tools: EndTools): Handler {
  const { services, forward: makeForward = createForward } = tools
  const service = knownService(name, route, services)
  const { rewrite, timeouts = {}, streaming } = route
  const prefix = rewrite !== undefined && isOfPrefix(rewrite) ? strippedPrefix(rewrite) : null
  const parsed = rewrite === undefined ? null : { rewrite, pattern: parsePattern(pattern) }
  const forward = makeForward(service, {
    rewrite: pathOf(route, { pattern }),
    rewriteHost: parsed === null ? null : compileHost(parsed.rewrite, parsed.pattern),
    prefixField: prefix === null ? '' : knownLine('X-Forwarded-Prefix', prefix),
    timeouts: service.current.timeoutsWith(timeouts, streaming),
    priority: route.priority,
    hedge: route.hedge,
    total: service.current.totalWith(timeouts, streaming),
    streaming,
    buffer: route.buffer === false ? 0 : route.buffer,
    retry: route.retry,
  })
  const maps = rewrite !== undefined && isOfPrefix(rewrite) && rewrite.mapReplies
  return maps ? mapReplies(forward, compileRewrite(inverse(rewrite))) : forward
}

function knownService(name: string, { id }: RouteConfig, services: EndTools['services']): CurrentService {
  const service = services.get(name)
  if (service === undefined) throw new Error(`route ${id} leads to no known service`)
  return service
}

/** The rewrite of the path; null if it remains unchanged. */
function pathOf({ rewrite }: RouteConfig, { pattern }: Pick<RouteInfo, 'pattern'>): ReturnType<typeof compilePath> {
  return rewrite === undefined ? null : compilePath(rewrite, parsePattern(pattern))
}
