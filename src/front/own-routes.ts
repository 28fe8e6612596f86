import type { RouteInfo } from '../core/exchange.ts'
import type { Handler } from '../core/handler.ts'
import { Reply } from '../core/reply.ts'
import type { HealthDocument } from '../services/health/report.ts'

/** Whether the gateway takes traffic: not before the first health checks are through, and not while it stops. */
export type Readiness = 'starting' | 'ready' | 'draining'

/** Begins the ids of the gateway's own routes; none of the configuration can. */
export const OWN = 'sallyport:'

/** Whether it is a route of the gateway's own. */
export function isOwn(route: RouteInfo): boolean {
  return route.id.startsWith(OWN)
}

export interface OwnRoutesOptions {
  readonly readiness: () => Readiness
  readonly health: () => HealthDocument
}

/** A route of the gateway's own. */
export interface OwnRoute {
  readonly path: string
  readonly handler: Handler
}

/** The endpoints that the gateway answers itself on its listeners; a route of the configuration with GET goes before. */
export function ownRoutes({ readiness, health }: OwnRoutesOptions): OwnRoute[] {
  return [
    { path: '/health', handler: () => uncached(Reply.json(200, health())) },
    { path: '/health/live', handler: () => uncached(Reply.json(200, { status: 'alive' })) },
    {
      path: '/health/ready',
      handler: () => {
        const status = readiness()
        return uncached(Reply.json(status === 'ready' ? 200 : 503, { status }))
      },
    },
  ]
}

function uncached(reply: Reply): Reply {
  reply.headers.set('Cache-Control', 'no-store')
  return reply
}
