import { integer, list, object } from './schema.ts'
import type { Schema } from './schema.ts'

/** The query parameters of every list. */
export const pageFields = {
  limit: integer(20, { minimum: 1, maximum: 100 }),
  offset: integer(0),
}

/** Part of a list, and how long the whole is. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly total: number
  readonly limit: number
  readonly offset: number
}

/** The schema of a page of the given items. */
export function pageOf<T>(name: string, item: Schema<T>): Schema<Page<T>> {
  return object(name, {
    items: list(item),
    total: integer(1),
    limit: pageFields.limit,
    offset: pageFields.offset,
  })
}

/** Which part of a list is asked for: the first 20 unless the query says otherwise. */
export function pageWindow(query: { readonly limit?: number; readonly offset?: number }): {
  limit: number
  offset: number
} {
  return { limit: query.limit ?? 20, offset: query.offset ?? 0 }
}
