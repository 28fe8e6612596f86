import { type ActivePolicy, replySource } from '../config/reply-source.ts'
import { activePolicies, type PoliciesConfig } from '../config/policy-schema.ts'
import { mainService } from '../config/route-services.ts'
import type { GatewayConfig, RouteConfig } from '../config/schema.ts'
import { messageOf } from '../core/error-facts.ts'
import type { RouteInfo } from '../http/exchange.ts'
import { compose, type Handler, type Middleware } from '../http/handler.ts'
import { editedFields } from '../policies/header-edits.ts'
import type { Policy, PolicyToolbox } from '../policies/policy.ts'
import type { RouteEntry } from '../routing/match.ts'
import type { Priority } from '../services/concurrency/priority.ts'
import type { CurrentService } from '../services/current-service.ts'
import { generalLimit, largestBody, limitFor } from './body-limit.ts'
import {
  fieldsInTemplates,
  fieldsOfPolicies,
  guardFields,
  type FieldGuards,
  type ToldOfDropped,
} from './field-guard.ts'
import { OWN, type OwnRoute } from './own-routes.ts'
import type { PathRules } from './path-check.ts'
import { type MakeForward, routeEnd } from './route-end.ts'
import { RoutePath } from './route-path.ts'
import type { Shedder } from './thread-overload.ts'

/** One path of a route once it is compiled. */
export interface CompiledRoute extends PathRules {
  readonly info: RouteInfo
  readonly handle: Handler
  /** One of its policies answers preflights. */
  readonly answersPreflights: boolean
  readonly guards: FieldGuards
  readonly priority: Priority
}

/** What policies are made with, and all of them that there are, in the order of the chain. */
export interface SnapshotToolbox extends PolicyToolbox {
  readonly policies: readonly Policy[]
  /** What the step of a policy becomes in a chain; default as it is. */
  readonly step?: (policy: Policy, create: () => Middleware) => Middleware
  readonly toldOfDropped: ToldOfDropped
  /** What answers in place of what a route leads to, where requests are only told of; null leaves it to that. */
  readonly end?: (route: RouteConfig, about: RouteInfo) => Handler | null
  readonly overload: Shedder
  /** Makes what passes requests to a service; default what does. */
  readonly forward?: MakeForward
}

/** What all routes with the same policies have in common. */
interface PolicySet {
  readonly active: readonly ActivePolicy[]
  /** How many of them, the outermost ones, have steps that the routes share. */
  readonly shared: number
  /** The chain of these, made with the first route. */
  head: Handler | null
  readonly answersPreflights: boolean
  readonly limit: readonly Middleware[]
  /** Names of request fields that they set or read, with those by which requests are matched. */
  readonly fields: readonly string[]
  readonly guards: FieldGuards
}

/** A policy that cannot be made of its options; the message says which one, where, and why. */
export class PolicyError extends Error {}

const NOWHERE: RouteInfo = { id: '', pattern: '', service: null }

/** Makes handlers of the routes of one configuration, and of their policies. What is thrown is a PolicyError. */
export class Compiler {
  private readonly config: GatewayConfig
  private readonly services: ReadonlyMap<string, CurrentService>
  private readonly toolbox: SnapshotToolbox
  private readonly largest: number
  /** By which requests are matched, of all routes. */
  private readonly matched: readonly string[]
  private readonly general: PolicySet
  private readonly generalOptions: ReadonlyMap<Policy, unknown>
  private readonly sets = new Map<PoliciesConfig, PolicySet>()
  /** The same of routes whose exchanges are streams. */
  private readonly streamingSets = new Map<PoliciesConfig, PolicySet>()

  constructor(config: GatewayConfig, services: ReadonlyMap<string, CurrentService>, toolbox: SnapshotToolbox) {
    this.config = config
    this.services = services
    this.toolbox = toolbox
    this.largest = largestBody(config, toolbox.policies)
    const matched = new Set<string>()
    for (const { match } of config.routes)
      if (match.headers !== undefined) for (const name of Object.keys(match.headers)) matched.add(name)
    this.matched = [...matched]
    this.generalOptions = new Map(activePolicies(config.policies, toolbox.policies))
    this.general = this.setOf(config.policies, false)
  }

  /** One entry for each path, as the path is what the logs and metrics show of a route. */
  route(route: RouteConfig): RouteEntry<CompiledRoute>[] {
    const set = this.setOf(route.policies, route.streaming)
    const { answersPreflights, fields } = set
    const read = [...fieldsInTemplates([route.redirect, route.split?.headers]), ...fieldsOfSplit(route)]
    const guards = read.length === 0 ? set.guards : guardFields([...fields, ...read], this.toolbox.toldOfDropped)
    const pathParameters = route.pathParameters ?? this.config.pathParameters
    const { encodedSlashes } = route
    return route.match.path.map((pattern) => {
      const about: RouteInfo = {
        id: route.id,
        pattern,
        service: mainService(route),
        logged: route.log,
        streaming: route.streaming,
      }
      const end =
        this.toolbox.end?.(route, about) ?? routeEnd(route, about, { ...this.toolbox, services: this.services })
      const info = new RoutePath(about, this.tail(set, about, end, route))
      const handle = this.head(set, about)
      const value = {
        encodedSlashes,
        pathParameters,
        info,
        handle,
        guards,
        answersPreflights,
        priority: route.priority,
      }
      return { match: { ...route.match, path: [pattern] }, value }
    })
  }

  /** Of the policies, few are for the gateway's own endpoints, as what names the exchange. */
  own({ path, handler }: Pick<OwnRoute, 'path' | 'handler'>): RouteEntry<CompiledRoute> {
    const info: RouteInfo = { id: `${OWN}${path.slice(1)}`, pattern: path, service: null }
    const active = this.general.active.filter(([{ aroundOwnEndpoints = false }]) => aroundOwnEndpoints)
    const value = {
      info,
      handle: this.chain(active, info, handler),
      guards: guardFields([], this.toolbox.toldOfDropped),
      answersPreflights: false,
      encodedSlashes: false,
      pathParameters: 'keep',
      priority: 'high',
    } as const
    return { match: { path: [path], method: ['GET'] }, value }
  }

  /** The policies of every route around what answers requests that take none. */
  unrouted(end: Handler): Handler {
    return this.chain(this.general.active, NOWHERE, end)
  }

  /** The same without those that answer preflights. */
  unanswered(end: Handler): Handler {
    const active = this.general.active.filter(([{ answersPreflights = false }]) => !answersPreflights)
    return this.chain(active, NOWHERE, end)
  }

  private setOf(policies: PoliciesConfig, streaming: boolean): PolicySet {
    const sets = streaming ? this.streamingSets : this.sets
    const known = sets.get(policies)
    if (known !== undefined) return known
    const { config, toolbox, largest, matched } = this
    const active = activePolicies(policies, toolbox.policies)
    const fields = [...matched, ...fieldsOfPolicies(active)]
    const made: PolicySet = {
      active,
      shared: this.countShared(active),
      head: null,
      answersPreflights: active.some(([policy]) => policy.answersPreflights === true),
      limit: generalLimit(limitFor(config, streaming), largest, policies, toolbox.policies),
      fields,
      guards: guardFields(fields, toolbox.toldOfDropped),
    }
    sets.set(policies, made)
    return made
  }

  private countShared(active: readonly ActivePolicy[]): number {
    const isOwn = ([policy, options]: ActivePolicy): boolean =>
      policy.isShared?.(options, this.generalOptions.get(policy) ?? null) !== true
    const first = active.findIndex(isOwn)
    return first === -1 ? active.length : first
  }

  /** What an exchange comes to first that has taken one of the routes, of which `first` is any. */
  private head(set: PolicySet, first: RouteInfo): Handler {
    const { active, shared, limit } = set
    const goOn = shared === active.length ? RoutePath.arrive : RoutePath.goOn
    set.head ??= compose([...limit, ...this.steps(active, 0, shared, first, null)], goOn)
    return set.head
  }

  /** What it comes to then. */
  private tail({ active, shared }: PolicySet, info: RouteInfo, end: Handler, route: RouteConfig): Handler {
    if (shared === active.length) return end
    return compose(this.steps(active, shared, active.length, info, route), unlessRefused(end))
  }

  private chain(active: readonly ActivePolicy[], route: RouteInfo, end: Handler): Handler {
    return compose(this.steps(active, 0, active.length, route, null), unlessRefused(end))
  }

  /** Of some of the policies that are on; `shape` is the route as it is configured, null where there is none. */
  private steps(
    active: readonly ActivePolicy[],
    from: number,
    to: number,
    route: RouteInfo,
    shape: RouteConfig | null,
  ): Middleware[] {
    const { toolbox, generalOptions, config } = this
    return active.slice(from, to).map(([policy, options]) => {
      const general = generalOptions.get(policy) ?? null
      const source = (): string => replySource(policy, active, shape, config)
      const create = (): Middleware =>
        make(() => policy.create(options, toolbox, route, general, source), policy, route)
      return toolbox.step?.(policy, create) ?? create()
    })
  }
}

/** A request that was refused when it was read gets its refusal where it would be answered, with what policies add. */
function unlessRefused(end: Handler): Handler {
  return (exchange) => {
    if (exchange.refusal !== null) throw exchange.refusal
    return end(exchange)
  }
}

/** Names of the request fields that are changed for one service of several. */
function fieldsOfSplit({ split }: RouteConfig): string[] {
  return Object.values(split?.headers ?? {}).flatMap(({ request }) =>
    request === undefined ? [] : editedFields(request),
  )
}

function make(create: () => Middleware, { name }: Policy, { id }: RouteInfo): Middleware {
  try {
    return create()
  } catch (error) {
    const why = messageOf(error)
    const what = `policy "${name}" could not be set up`
    // Policies of the user's own say so themselves.
    const message = why.startsWith(what) ? why : `${what} for route "${id}": ${why}`
    throw new PolicyError(message, { cause: error })
  }
}
