import type { ApiDocs } from '../api-docs/api-docs.ts'
import type { Endpoint } from '../config/endpoints-schema.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { DocsObject } from '../policies/policy-docs.ts'
import type { RouteInfo } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import { Reply } from '../http/reply.ts'
import type { Threads } from '../core/threads.ts'
import { type HealthDocument, healthDocs } from '../services/health/report.ts'
import { metricsReply } from '../telemetry/metrics/document.ts'

/** Whether the gateway accepts traffic: only after the first health checks are complete, and not while it shuts down. */
export const readinessStates = ['starting', 'ready', 'draining'] as const

export type Readiness = (typeof readinessStates)[number]

/** Prefix of the IDs of the gateway's own routes, which configured routes cannot have. */
export const BUILT_IN_PREFIX = 'sallyport:'

/** Whether this is one of the gateway's own routes. */
export function isBuiltIn(route: RouteInfo): boolean {
  return route.id.startsWith(BUILT_IN_PREFIX)
}

export interface BuiltInRoutesOptions {
  readonly endpoints: GatewayConfig['endpoints']
  readonly readiness: () => Readiness
  readonly health: () => HealthDocument
  readonly threads: Threads
}

/** One of the gateway's own routes. */
export interface BuiltInRoute {
  /** The endpoint that enables it in the configuration. */
  readonly endpoint: Endpoint
  readonly path: string
  readonly handler: Handler
  /** Its Path Item Object in the API documentation; omitted for endpoints meant for operators only. */
  readonly docs?: DocsObject
}

/** The endpoints that the gateway serves itself on its listeners; configured GET routes take precedence. */
export function builtInRoutes({ endpoints, readiness, health, threads }: BuiltInRoutesOptions): BuiltInRoute[] {
  const own: BuiltInRoute[] = []
  if (endpoints.health !== false) {
    const path = endpoints.health
    const ready = (): Reply => {
      const status = readiness()
      return uncached(Reply.json(status === 'ready' ? 200 : 503, { status }))
    }
    own.push(
      { endpoint: 'health', path, handler: () => healthReply(readiness(), health()), docs: healthDocs },
      { endpoint: 'health', path: `${path}/live`, handler: () => uncached(Reply.json(200, { status: 'alive' })) },
      { endpoint: 'health', path: `${path}/ready`, handler: ready },
    )
  }
  if (endpoints.metrics !== false)
    own.push({
      endpoint: 'metrics',
      path: endpoints.metrics,
      handler: async ({ headers }) => uncached(await metricsReply(threads, headers.combined('Accept'))),
    })
  return own
}

/** Serves the API documentation, if configured. */
export function docsRoutes(docs: ApiDocs | null): BuiltInRoute[] {
  if (docs === null) return []
  return [
    ...docs.document().map(({ path, handler }): BuiltInRoute => ({ endpoint: 'openapi', path, handler })),
    ...docs.page().map(({ path, handler }): BuiltInRoute => ({ endpoint: 'docs', path, handler })),
  ]
}

/** Clients that poll only this endpoint also learn from it that the gateway is shutting down, and can go elsewhere. */
function healthReply(readiness: Readiness, document: HealthDocument): Reply {
  if (readiness !== 'draining') return uncached(Reply.json(200, document))
  return uncached(Reply.json(503, { ...document, status: readiness }))
}

function uncached(reply: Reply): Reply {
  reply.headers.set('Cache-Control', 'no-store')
  return reply
}
