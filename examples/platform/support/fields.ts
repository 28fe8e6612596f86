import { z } from 'zod'

/** Text that is not empty. */
export function text(longest = 200): z.ZodString {
  return z.string().min(1).max(longest)
}

/** A whole number from `least` to `most`. */
export function whole(least = 0, most = 1_000_000_000): z.ZodInt {
  return z.int().min(least).max(most)
}

/** Identifies a resource: a UUID, or a readable word in the seed data. */
export const identifier = text(64).regex(/^[A-Za-z0-9_.-]+$/, 'may have letters, digits, "_", "." and "-"')

/** The name of a role, a tier or a category. */
export const word = text(50).regex(/^[a-z][a-z0-9_-]*$/, 'must be a word in lower case')

/** A moment in UTC as ISO 8601 writes it. */
export const timestamp = z.iso.datetime()

/** An ISO 4217 currency code. */
export const currency = z.string().regex(/^[A-Z]{3}$/, 'must be a code such as EUR')

/** An e-mail address, which is in lower case from here on. */
export const email = z.email().max(254).toLowerCase()

/** The query parameters of every list. */
export const paging = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  offset: z.coerce.number().int().min(0).max(1_000_000_000).default(0),
})

/** Part of a list, and how long the whole is. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: item.array(), total: whole(), limit: whole(), offset: whole() })
}

/** The parameter of paths with :id. */
export const byId = z.object({ id: z.string() })
