import type { SlicedWork } from '../core/time-slices.ts'
import { firstFree } from './names.ts'
import { NamedSchema } from './schemas.ts'
import type { ServiceApi } from './service-api.ts'

/** The name of the gateway's own schema, which is reserved. */
export const PROBLEM = 'ProblemDetails'

/**
 * Names the schemas of all services in one document: with the name used by the service if that is unambiguous, otherwise prefixed
 * by the name of the service. Services share a schema if it is identical and has the same name.
 */
export function* nameSchemas(apis: ReadonlyMap<string, ServiceApi>): SlicedWork<ReadonlyMap<NamedSchema, string>> {
  const all = [...apis].flatMap(([service, { schemas }]) => schemas.map((schema) => ({ service, schema })))
  const read: { readonly service: string; readonly wish: string; readonly of: ReturnType<typeof textOf> }[] = []
  for (const { service, schema } of all) {
    read.push({ service, wish: schema.wish, of: textOf(schema) })
    yield
  }
  const groups = Map.groupBy(read, ({ wish }) => wish)
  const clear = new Set(
    [...groups].flatMap(([wish, group]) => {
      const same = new Set(group.map(({ of }) => of.text)).size === 1
      const services = new Set(group.map(({ service }) => service))
      return same && services.size === group.length && wish !== PROBLEM ? [wish] : []
    }),
  )
  // Schemas with the same text are still different if they refer to different ones.
  const isSplit = (wish: string): boolean => {
    const group = groups.get(wish) ?? []
    return group.length > 1 && group.some(({ of }) => of.wishes.some((other) => !clear.has(other)))
  }
  for (let split = [...clear].filter(isSplit); split.length > 0; split = [...clear].filter(isSplit))
    for (const wish of split) clear.delete(wish)

  const names = new Map<NamedSchema, string>()
  const taken = new Set<string>([PROBLEM, ...clear])
  for (const { service, schema } of all)
    names.set(schema, clear.has(schema.wish) ? schema.wish : freeName(service, schema.wish, taken))
  return names
}

function freeName(service: string, wish: string, taken: Set<string>): string {
  const name = firstFree(`${service}.${wish}`, taken)
  taken.add(name)
  return name
}

/** A schema as written by its service, and the names that it refers to there. */
function textOf({ schema }: NamedSchema): { readonly text: string; readonly wishes: readonly string[] } {
  const wishes: string[] = []
  const text = JSON.stringify(schema, (_, value: unknown) => {
    if (!(value instanceof NamedSchema)) return value
    wishes.push(value.wish)
    return value.wish
  })
  return { text, wishes }
}
