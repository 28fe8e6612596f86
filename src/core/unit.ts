import type { z } from 'zod'

/** How a number of the configuration is written there: in this unit, or as a date; or how a list of rates is. */
export type Unit = 'milliseconds' | 'bytes' | 'percent' | 'per-second' | 'date' | 'rates'

/** By the input of the schema, which copies with their own description or check share. */
const units = new WeakMap<z.core.$ZodType, Unit>()

/** Remembers how the values of a schema are written: 'percent' for parts of 1, 'date' for milliseconds since 1970-01-01T00:00:00Z. */
export function writtenIn<Schema extends z.ZodPipe>(unit: Unit, schema: Schema): Schema {
  units.set(schema.in, unit)
  return schema
}

/** How the values of a schema are written; null if that is unknown. */
export function unitOf(schema: z.ZodPipe): Unit | null {
  return units.get(schema.in) ?? null
}
