import { Headers } from '../http/headers.ts'
import { listenerName } from '../config/listener-name.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { createRouter, isSameMatch, type Router } from '../routing/router.ts'
import type { LoggedRequest } from './logged-request.ts'

/** Replaces secrets in the log. */
const REDACTED = '[redacted]'

/** What determines a request's route but is not in the log. */
export class RouteDoubts {
  private readonly router: Router<string>
  private readonly listeners: readonly string[]
  /** Some route is selected by a header, a listener, or a query parameter. */
  private readonly byField: boolean
  private readonly byListener: boolean
  private readonly parameters: ReadonlySet<string>

  constructor({ routes, listeners }: Pick<GatewayConfig, 'routes' | 'listeners'>) {
    this.router = createRouter(routes.map(({ id, match }) => ({ match, value: id })))
    this.listeners = listeners.map(listenerName)
    this.byField = routes.some(({ match }) => Object.keys(match.headers ?? {}).length > 0)
    this.byListener = this.listeners.length > 1 && routes.some(({ match }) => match.listener !== undefined)
    this.parameters = new Set(routes.flatMap(({ match }) => Object.keys(match.query ?? {})))
  }

  /** Whether no request of a log is ever in doubt. */
  get none(): boolean {
    return !this.byField && !this.byListener && this.parameters.size === 0
  }

  /** Reasons why the route of the request cannot be known. */
  of(request: LoggedRequest): string[] {
    const { host, path, method, query, fields, listener } = request
    const found: string[] = []
    const headers = new WatchedHeaders(fields)
    const find = (name: string) => this.router.find(host, path, method, headers, query, name)
    const first = find(listener ?? this.listeners[0] ?? '')
    if (this.byListener && listener === undefined && this.listeners.some((name) => !isSameMatch(find(name), first)))
      found.push('depend on the listener: log it with log.access.replay')
    for (const name of headers.missed) found.push(`depend on the header ${name}: log it with log.access.headers`)
    for (const name of this.hiddenIn(query)) found.push(`depend on the query parameter ${name}, which the log redacts`)
    if (request.cut && this.parameters.size > 0) found.push('depend on a query that is longer than what is logged')
    return found
  }

  private hiddenIn(query: string): string[] {
    if (this.parameters.size === 0 || !query.includes(REDACTED)) return []
    const hidden = [...new URLSearchParams(query)].filter(
      ([name, value]) => value === REDACTED && this.parameters.has(name),
    )
    return hidden.map(([name]) => name)
  }
}

/** The headers that the log has; records which others are read. */
class WatchedHeaders extends Headers {
  readonly missed = new Set<string>()
  private readonly fields: LoggedRequest['fields']

  constructor(fields: LoggedRequest['fields']) {
    super()
    this.fields = fields
  }

  override has(name: string): boolean {
    return this.getAll(name).length > 0
  }

  override getAll(name: string): string[] {
    const value = this.fields[name]
    if (value === undefined) this.missed.add(name)
    return value === undefined || value === null ? [] : [value]
  }
}
