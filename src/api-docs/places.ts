import type { RouteConfig } from '../config/schema.ts'
import { type TimeSlices, type SlicedWork, runToEnd } from '../core/time-slices.ts'
import { Headers } from '../http/headers.ts'
import type { ValueMatch } from '../routing/match.ts'
import { mainService } from '../config/route-services.ts'
import { parsePattern, type PathPattern } from '../routing/pattern.ts'
import { type Router, RouterTables, routerOf } from '../routing/router.ts'
import { entryFor } from '../routing/trie.ts'
import { beforeRewrite, narrow, parseTemplate, sampleOf, type Template, templateOf } from './template.ts'

/** One path of a route, at one of its hosts. */
export interface RoutePath {
  readonly route: RouteConfig
  readonly pattern: PathPattern
  /** A configured host, or null for any. */
  readonly host: string | null
}

/** Where clients reach an operation of a service. */
export interface Place {
  readonly routePath: RoutePath
  readonly template: Template
}

const NONE: ReadonlySet<string> = new Set()

/** Determines which requests go to which route, as seen by clients. */
export class Places {
  private readonly known: RoutePath[] = []
  private readonly ofServices = new Map<string, RoutePath[]>()
  /** Regular expressions that the request in question is assumed to match: no matching text is generated. */
  private fitting = NONE
  private readonly tables = new RouterTables<RoutePath | null>((regex) => () => this.fitting.has(regex))
  private readonly reading: SlicedWork
  private router: Router<RoutePath | null> | null = null

  /** `own` are the paths of the gateway's own endpoints. */
  constructor(routes: readonly RouteConfig[], own: readonly string[]) {
    this.reading = this.readEach(routes, own)
  }

  /** Reads the routes in slices. A query before that is finished has the rest read at once. */
  async read(slices: TimeSlices): Promise<void> {
    await slices.run(this.reading)
  }

  /** Of all routes, in their order. */
  get routePaths(): readonly RoutePath[] {
    this.readAll()
    return this.known
  }

  /** Where the service's operation can be reached, if anywhere; the method in upper case. */
  of(service: string, path: string, method: string): Place[] {
    this.readAll()
    return (this.ofServices.get(service) ?? []).flatMap((routePath) =>
      beforeRewrite(path, routePath.route.rewrite).flatMap((candidate) => {
        const template = parseTemplate(candidate)
        const narrowed = template === null ? null : narrow(template, routePath.pattern)
        return narrowed !== null && this.takes(routePath, narrowed, method) ? [{ routePath, template: narrowed }] : []
      }),
    )
  }

  /** The path of the route itself, or null if another route takes precedence. */
  whole(routePath: RoutePath, method: string): Place | null {
    const template = templateOf(routePath.pattern)
    return this.takes(routePath, template, method) ? { routePath, template } : null
  }

  /** Whether the gateway itself, and no route, handles GET there. */
  isOwn(path: string): boolean {
    this.fitting = NONE
    const match = this.readAll().find('', path, 'GET', Headers.of(), '')
    return match.found && match.value === null
  }

  /** Whether requests for the path go to its route, and not to a more specific one. */
  private takes(routePath: RoutePath, template: Template, method: string): boolean {
    const { headers = {}, query = {}, pathRegex, listener } = routePath.route.match
    const fields = Object.entries(headers).map(([name, value]) => [name, sampleValue(value)] as const)
    const parameters = Object.entries(query).map(([name, value]) => [name, sampleValue(value)])
    const host = routePath.host?.replace('*', 'any') ?? ''
    const target = parameters.length === 0 ? '' : `?${new URLSearchParams(parameters).toString()}`
    const values = [...Object.values(headers), ...Object.values(query)]
    this.fitting = new Set([pathRegex, ...values.map(regexOf)].filter((regex) => regex !== undefined))
    const match = this.readAll().find(host, sampleOf(template), method, Headers.of(fields), target, listener?.[0])
    return match.found && match.value === routePath
  }

  private readAll(): Router<RoutePath | null> {
    runToEnd(this.reading)
    this.router ??= routerOf(this.tables)
    return this.router
  }

  /** One after the other; a route takes precedence over the gateway's own endpoint at the same path. */
  private *readEach(routes: readonly RouteConfig[], own: readonly string[]): SlicedWork {
    for (const route of routes) {
      this.add(route)
      yield
    }
    for (const path of own) this.tables.add({ match: { path: [path], method: ['GET'] }, value: null })
  }

  private add(route: RouteConfig): void {
    const { match } = route
    const service = mainService(route)
    for (const path of match.path)
      for (const host of match.host ?? [null]) {
        const routePath: RoutePath = { route, pattern: parsePattern(path), host }
        this.known.push(routePath)
        if (service !== null) entryFor(this.ofServices, service, () => []).push(routePath)
        const hosts = host === null ? undefined : [host]
        this.tables.add({ match: { ...match, host: hosts, path: [routePath.pattern.text] }, value: routePath })
      }
  }
}

/** A matching value; "" if any value matches. */
function sampleValue(value: ValueMatch): string {
  if (typeof value === 'string') return value
  return typeof value === 'object' && 'regex' in value ? '' : value === true ? '' : (value[0] ?? '')
}

function regexOf(value: ValueMatch): string | undefined {
  return typeof value === 'object' && 'regex' in value ? value.regex : undefined
}

/** Whether the route requires more than a path and a method, so that another route may have the same. */
export function isConditional({ route, host }: RoutePath): boolean {
  const { listener, pathRegex, headers, query } = route.match
  return [host ?? undefined, listener, pathRegex, headers, query].some((each) => each !== undefined)
}
