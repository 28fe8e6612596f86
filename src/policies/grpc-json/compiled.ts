import type { Registry } from '@bufbuild/protobuf'
import { type Binding, compileBindings } from './bindings.ts'
import { commonTypes, decodeSet } from './descriptors.ts'
import { protobuf } from './library.ts'
import type { ServiceSchema } from './service-schema.ts'
import type { TemplateTree } from './template-tree.ts'

/** The options that determine which request calls which method. */
interface BindingChoice {
  readonly schema: ServiceSchema
  readonly services?: readonly string[] | undefined
  readonly autoMapping: boolean
}

/** A compiled schema in one thread. */
export interface Compiled {
  readonly bindings: TemplateTree<Binding>
  /** The types that messages may contain as google.protobuf.Any. */
  readonly types: Registry
}

/** Keyed by schema, which is the same object wherever a configuration names it, and by the other options. */
const known = new WeakMap<ServiceSchema, Map<string, Compiled>>()

/** Compiles the bindings, once for all routes. Throws an Error that says which one cannot be used, and why. */
export function compiled({ schema, services = schema.services, autoMapping }: BindingChoice): Compiled {
  const made = known.get(schema) ?? new Map<string, Compiled>()
  known.set(schema, made)
  const key = JSON.stringify([services, autoMapping])
  const before = made.get(key)
  if (before !== undefined) return before
  const registry = decodeSet(schema.descriptors)
  const result = {
    bindings: compileBindings(registry, { services, autoMapping }),
    types: protobuf().createRegistry(commonTypes().types, registry),
  }
  made.set(key, result)
  return result
}
