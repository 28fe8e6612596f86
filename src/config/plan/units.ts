import { z } from 'zod'
import type { Policy } from '../../policies/policy.ts'
import { type Unit, unitOf } from '../../core/unit.ts'
import { gatewaySchemaFor } from '../own-policies.ts'
import type { Path } from '../problems.ts'

/** Finds the unit of a number or a list by its place; null if it has none. */
export type UnitAt = (path: Path) => Unit | null

/** For a configuration whose policies are those of the chain. */
export function unitsOf(chain: readonly Policy[]): UnitAt {
  const schema = gatewaySchemaFor(chain)
  return (path) => unitAt(schema, path)
}

function unitAt(schema: unknown, path: Path): Unit | null {
  if (schema instanceof z.ZodUnion) return firstOf(schema.options, path)
  // What has parts is another form of the option.
  if (schema instanceof z.ZodPipe)
    return (path.length === 0 ? unitOf(schema) : null) ?? firstOf([schema.in, schema.out], path)
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    return unitAt(schema.unwrap(), path)
  const [step, ...rest] = path
  if (step === undefined) return null
  if (schema instanceof z.ZodObject) return unitAt(schema.shape[step] ?? schema.def.catchall, rest)
  if (schema instanceof z.ZodRecord) return unitAt(schema.valueType, rest)
  return schema instanceof z.ZodArray ? unitAt(schema.element, rest) : null
}

function firstOf(schemas: readonly unknown[], path: Path): Unit | null {
  for (const schema of schemas) {
    const unit = unitAt(schema, path)
    if (unit !== null) return unit
  }
  return null
}
