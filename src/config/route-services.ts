import type { RouteConfig } from './schema.ts'

/** The services that a route forwards to. */
export function servicesOf({ service, split }: Pick<RouteConfig, 'service' | 'split'>): readonly string[] {
  if (service !== undefined) return [service]
  return split === undefined ? [] : Object.keys(split.services)
}

/** The service that represents the route if there are several: the first of them. Null if there is none. */
export function mainService(route: Pick<RouteConfig, 'service' | 'split'>): string | null {
  return servicesOf(route)[0] ?? null
}
