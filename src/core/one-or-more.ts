import { z } from 'zod'

/** Schema of a single value or a non-empty list; always a list after parsing. */
export function oneOrMore<Item extends z.ZodType>(item: Item) {
  return z.union([item.transform((one) => [one]), item.array().min(1)]).describe('One, or a list.')
}
