import type { z } from 'zod'

/**
 * A schema whose shape is built from a list, with the types that belong to that list: a shape that is built forgets which key has
 * which schema.
 */
export function typedSchema<Output, Input>(schema: z.ZodType): z.ZodType<Output, Input> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever calls it takes both from the same list
  return schema as z.ZodType<Output, Input>
}
