import type { z } from 'zod'

/**
 * Gives a schema whose shape is built from a list the types that belong to that list; TypeScript loses track of which key has which schema
 * when a shape is built dynamically.
 */
export function typedSchema<Output, Input>(schema: z.ZodType): z.ZodType<Output, Input> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- callers derive both types from the same list
  return schema as z.ZodType<Output, Input>
}
