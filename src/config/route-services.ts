import type { RouteConfig } from './schema.ts'

/** The services that a route leads to. */
export function servicesOf({ service, split }: Pick<RouteConfig, 'service' | 'split'>): readonly string[] {
  if (service !== undefined) return [service]
  return split === undefined ? [] : Object.keys(split.services)
}

/** The one that is spoken of where there may be several: the first of them. Null where it leads to none. */
export function mainService(route: Pick<RouteConfig, 'service' | 'split'>): string | null {
  return servicesOf(route)[0] ?? null
}
