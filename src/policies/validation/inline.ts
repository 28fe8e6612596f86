import type { JsonDocument } from '../../core/document.ts'
import { isFields } from '../../core/value.ts'
import { type SlicedWork, runToEnd } from '../../core/time-slices.ts'
import { within } from '../../openapi/references.ts'
import type { ParameterRule } from './operation.ts'
import { MadeOnce } from './made-once.ts'
import { type Check, checkSchema, Schemas } from './schema.ts'
import { membersOf, shapeOf } from './shape.ts'
import { type UnusablePatterns, withoutUnusablePatterns } from './unusable-patterns.ts'

/** A compiled schema, and the patterns that were left out of it. */
interface Compiled {
  readonly check: Check
  readonly unusable: UnusablePatterns
}

/** The compiled schemas of this thread, shared by routes with the same schema. */
const known = new MadeOnce<Compiled>()

/** Compiles a standalone schema. Throws UnusableSchema. */
export function compileSchema(schema: JsonDocument): Compiled {
  return runToEnd(compilingSchema(schema))
}

/** The same in steps; the result is cached for `compileSchema`. */
export function compilingSchema(schema: JsonDocument): SlicedWork<Compiled> {
  return known.get(schema, () => compiling(schema))
}

function* compiling(schema: JsonDocument): SlicedWork<Compiled> {
  checkSchema(schema)
  yield
  const unusable: UnusablePatterns = []
  const usable = withoutUnusablePatterns(schema, '#', unusable)
  return { check: yield* new Schemas(true).compile(isFields(usable) ? usable : schema), unusable }
}

/** Compiles a schema of the parameters in one place, each a member of a map. Throws UnusableSchema. */
export function compileParameters(schema: JsonDocument, place: ParameterRule['place']): ParameterRule {
  const { check } = compileSchema(schema)
  const resolve = within(schema)
  const parameters = Array.from(membersOf(schema, resolve), ([name, member]) => ({
    name,
    style: place === 'query' ? ('form' as const) : ('simple' as const),
    explode: place === 'query',
    shape: shapeOf(member, resolve),
    mayBeEmpty: false,
  }))
  return { place, parameters, check }
}
