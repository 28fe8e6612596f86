import type { RouteConfig } from '../config/schema.ts'
import { Headers } from '../http/headers.ts'
import { parsePattern, type PathPattern } from '../routing/pattern.ts'
import { createRouter, type Router } from '../routing/router.ts'
import { beforeRewrite, narrow, parseTemplate, sampleOf, type Template, templateOf } from './template.ts'

/** One path of a route, at one of its hosts. */
export interface Entry {
  readonly route: RouteConfig
  readonly pattern: PathPattern
  /** A host as it is configured, or null for any. */
  readonly host: string | null
}

/** Where clients find an operation of a service. */
export interface Place {
  readonly entry: Entry
  readonly template: Template
}

/** What requests take which route, as clients see it. */
export class Places {
  readonly entries: readonly Entry[]
  private readonly router: Router<Entry | null>

  /** `own` are the paths that the gateway answers itself. */
  constructor(routes: readonly RouteConfig[], own: readonly string[]) {
    this.entries = routes.flatMap((route) =>
      route.match.path.flatMap((path) =>
        (route.match.host ?? [null]).map((host) => ({ route, pattern: parsePattern(path), host })),
      ),
    )
    this.router = createRouter<Entry | null>([
      ...this.entries.map((entry) => {
        const { route, pattern, host } = entry
        const hosts = host === null ? {} : { host: [host] }
        return { match: { ...route.match, host: undefined, ...hosts, path: [pattern.text] }, value: entry }
      }),
      ...own.map((path) => ({ match: { path: [path], method: ['GET'] }, value: null })),
    ])
  }

  /** Where the service's operation is found, if anywhere; the method in upper case. */
  of(service: string, path: string, method: string): Place[] {
    return this.entries
      .filter(({ route }) => route.service === service)
      .flatMap((entry) =>
        beforeRewrite(path, entry.route.rewrite).flatMap((candidate) => {
          const template = parseTemplate(candidate)
          const narrowed = template === null ? null : narrow(template, entry.pattern)
          return narrowed !== null && this.takes(entry, narrowed, method) ? [{ entry, template: narrowed }] : []
        }),
      )
  }

  /** The path of an entry as it stands in its route, or null where another route takes it. */
  whole(entry: Entry, method: string): Place | null {
    const template = templateOf(entry.pattern)
    return this.takes(entry, template, method) ? { entry, template } : null
  }

  /** Whether the gateway itself answers GET there, and no route. */
  isOwn(path: string): boolean {
    const match = this.router.find('', path, 'GET', Headers.of(), '')
    return match.found && match.value === null
  }

  /** Whether the request that the entry is for goes to its route, and not to one that is more specific. */
  private takes(entry: Entry, template: Template, method: string): boolean {
    const { headers = {}, query = {} } = entry.route.match
    const fields = Object.entries(headers).map(([name, value]) => [name, value === true ? '' : value] as const)
    const parameters = Object.entries(query).map(([name, value]) => [name, value === true ? '' : value])
    const host = entry.host?.replace('*', 'any') ?? ''
    const target = parameters.length === 0 ? '' : `?${new URLSearchParams(parameters).toString()}`
    const match = this.router.find(host, sampleOf(template), method, Headers.of(fields), target)
    return match.found && match.value === entry
  }
}

/** Whether the route wants more than a path and a method, so that another one may have the same of both. */
export function isConditional({ route, host }: Entry): boolean {
  return host !== null || route.match.headers !== undefined || route.match.query !== undefined
}
