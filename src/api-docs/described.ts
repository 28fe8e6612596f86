import { activePolicies } from '../config/policy-schema.ts'
import { mainService } from '../config/route-services.ts'
import type { RouteConfig } from '../config/schema.ts'
import type { SlicedWork } from '../core/time-slices.ts'
import type { Policy } from '../policies/policy.ts'
import type { Places } from './places.ts'
import { readServiceApi, type ServiceApi } from './service-api.ts'

/** What the policies of routes say about each service's operations as seen by clients. Throws BrokenDocument. */
export function* describedApis(
  routes: readonly RouteConfig[],
  chain: readonly Policy[],
  places: Places,
): SlicedWork<ReadonlyMap<string, ServiceApi>> {
  const apis = new Map<string, ServiceApi>()
  for (const [service, ofService] of Map.groupBy(routes, mainService)) {
    if (service === null) continue
    const all = ofService.flatMap((route) =>
      activePolicies(route.policies, chain).map(([policy, options]) => ({ route, policy, options })),
    )
    // Most routes with the same options share the same objects.
    for (const having of Map.groupBy(all, ({ options }) => options).values()) {
      const [first] = having
      if (first?.policy.describe === undefined) continue
      const exposed = new Set(having.map(({ route }) => route))
      const read = yield* readServiceApi(JSON.stringify(first.policy.describe(first.options)), service, places)
      const operations = read.operations.filter(({ place }) => exposed.has(place.routePath.route))
      const before = apis.get(service)
      apis.set(service, before === undefined ? { ...read, operations } : both(before, { ...read, operations }))
    }
  }
  return apis
}

/** Merges two documents about one service; title and description are those of the first. */
export function both(one: ServiceApi, other: ServiceApi): ServiceApi {
  return {
    ...one,
    operations: [...one.operations, ...other.operations],
    schemas: [...one.schemas, ...other.schemas],
    schemes: new Map([...other.schemes, ...one.schemes]),
  }
}
