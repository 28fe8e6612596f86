import type { JsonDocument } from '../../core/document.ts'
import type { ParameterRule } from './operation.ts'
import { type Check, checkSchema, Schemas } from './schema.ts'
import { membersOf, shapeOf, within } from './shape.ts'

/** What was compiled in this thread: the routes that share a schema share what is made of it. */
const compiled = new WeakMap<JsonDocument, Check>()

/** Compiles a schema that stands by itself. Throws UnusableSchema. */
export function compileSchema(schema: JsonDocument): Check {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  checkSchema(schema)
  const check = new Schemas(true).compile(schema)
  compiled.set(schema, check)
  return check
}

/** Compiles a schema of the parameters in one place, each a member of a map. Throws UnusableSchema. */
export function compileParameters(schema: JsonDocument, place: ParameterRule['place']): ParameterRule {
  const check = compileSchema(schema)
  const resolve = within(schema)
  const parameters = Array.from(membersOf(schema, resolve), ([name, member]) => ({
    name,
    style: place === 'query' ? ('form' as const) : ('simple' as const),
    explode: place === 'query',
    shape: shapeOf(member, resolve),
  }))
  return { place, parameters, check }
}
