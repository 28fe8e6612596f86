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
  type DroppedFieldsLogger,
} from './field-guard.ts'
import { BUILT_IN_PREFIX, type BuiltInRoute } from './built-in-routes.ts'
import type { PathRules } from './path-check.ts'
import { type MakeForward, routeEnd } from './route-end.ts'
import { RoutePath } from './route-path.ts'
import type { Shedder } from './thread-overload.ts'

/** One path of a compiled route. */
export interface CompiledRoute extends PathRules {
  readonly info: RouteInfo
  readonly handle: Handler
  /** Whether one of its policies answers preflights. */
  readonly answersPreflights: boolean
  readonly guards: FieldGuards
  readonly priority: Priority
}

/** The tools given to policies, and all available policies in chain order. */
export interface SnapshotToolbox extends PolicyToolbox {
  readonly policies: readonly Policy[]
  /** Wraps the step of a policy; by default the step is used unchanged. */
  readonly step?: (policy: Policy, create: () => Middleware) => Middleware
  readonly logDroppedFields: DroppedFieldsLogger
  /**
   * Returns a handler to use instead of the route's own end, for explaining requests without executing them; null to use the route's end.
   */
  readonly end?: (route: RouteConfig, about: RouteInfo) => Handler | null
  readonly overload: Shedder
  /** Creates the handler that forwards requests to a service; by default the regular one. */
  readonly forward?: MakeForward
}

/** What all routes with the same policies share. */
interface PolicySet {
  readonly active: readonly ActivePolicy[]
  /** Number of outermost policies whose steps the routes share. */
  readonly shared: number
  /** The chain of the shared policies, created with the first route. */
  head: Handler | null
  readonly answersPreflights: boolean
  readonly limit: readonly Middleware[]
  /** Names of request headers that the policies set or read, plus those used for matching. */
  readonly fields: readonly string[]
  readonly guards: FieldGuards
}

/** A policy cannot be created from its options; the message says which one, where, and why. */
export class PolicyError extends Error {}

const NOWHERE: RouteInfo = { id: '', pattern: '', service: null }

/** Compiles the routes of one configuration, with their policies, into handlers. Errors are PolicyErrors. */
export class Compiler {
  private readonly config: GatewayConfig
  private readonly services: ReadonlyMap<string, CurrentService>
  private readonly toolbox: SnapshotToolbox
  private readonly largest: number
  /** Header names that any route matches on. */
  private readonly matched: readonly string[]
  private readonly general: PolicySet
  private readonly generalOptions: ReadonlyMap<Policy, unknown>
  private readonly sets = new Map<PoliciesConfig, PolicySet>()
  /** The same for streaming routes. */
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

  /** Creates one entry per path, as logs and metrics identify a route by its path. */
  route(route: RouteConfig): RouteEntry<CompiledRoute>[] {
    const set = this.setOf(route.policies, route.streaming)
    const { answersPreflights, fields } = set
    const read = [...fieldsInTemplates([route.redirect, route.split?.headers]), ...fieldsOfSplit(route)]
    const guards = read.length === 0 ? set.guards : guardFields([...fields, ...read], this.toolbox.logDroppedFields)
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

  /** Few policies apply to the gateway's own endpoints, such as the one that assigns the correlation ID. */
  own({ path, handler }: Pick<BuiltInRoute, 'path' | 'handler'>): RouteEntry<CompiledRoute> {
    const info: RouteInfo = { id: `${BUILT_IN_PREFIX}${path.slice(1)}`, pattern: path, service: null }
    const active = this.general.active.filter(([{ aroundOwnEndpoints = false }]) => aroundOwnEndpoints)
    const value = {
      info,
      handle: this.chain(active, info, handler),
      guards: guardFields([], this.toolbox.logDroppedFields),
      answersPreflights: false,
      encodedSlashes: false,
      pathParameters: 'keep',
      priority: 'high',
    } as const
    return { match: { path: [path], method: ['GET'] }, value }
  }

  /** Wraps the policies of every route around the reply to requests that match no route. */
  unrouted(end: Handler): Handler {
    return this.chain(this.general.active, NOWHERE, end)
  }

  /** Like `unrouted`, without policies that answer preflights. */
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
      guards: guardFields(fields, toolbox.logDroppedFields),
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

  /** Entry handler for exchanges on routes with this policy set; `first` is any of these routes. */
  private head(set: PolicySet, first: RouteInfo): Handler {
    const { active, shared, limit } = set
    const goOn = shared === active.length ? RoutePath.arrive : RoutePath.goOn
    set.head ??= compose([...limit, ...this.steps(active, 0, shared, first, null)], goOn)
    return set.head
  }

  /** The handler that follows the shared part of the chain. */
  private tail({ active, shared }: PolicySet, info: RouteInfo, end: Handler, route: RouteConfig): Handler {
    if (shared === active.length) return end
    return compose(this.steps(active, shared, active.length, info, route), unlessRefused(end))
  }

  private chain(active: readonly ActivePolicy[], route: RouteInfo, end: Handler): Handler {
    return compose(this.steps(active, 0, active.length, route, null), unlessRefused(end))
  }

  /** Creates the steps of some of the active policies; `shape` is the route configuration, null if there is none. */
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

/**
 * For a request that was rejected while being read, returns the rejection where the reply would be produced, so that policies apply to it.
 */
function unlessRefused(end: Handler): Handler {
  return (exchange) => {
    if (exchange.refusal !== null) throw exchange.refusal
    return end(exchange)
  }
}

/** Names of the request headers that are changed for individual services of a split. */
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
    // Messages of custom policies may already include the prefix.
    const message = why.startsWith(what) ? why : `${what} for route "${id}": ${why}`
    throw new PolicyError(message, { cause: error })
  }
}
