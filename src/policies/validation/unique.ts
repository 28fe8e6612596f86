import { isDocument } from '../../core/document.ts'

/**
 * Whether two items of a list are equal as JSON is (JSON Schema core 2020-12 section 4.2.2), in time linear in their
 * size: the library compares each with each, which a client could make last.
 */
export function hasDuplicates(items: readonly unknown[]): boolean {
  const seen = new Set<string>()
  for (const item of items) {
    const text = JSON.stringify(item, sorted)
    if (seen.has(text)) return true
    seen.add(text)
  }
  return false
}

function sorted(_: string, value: unknown): unknown {
  if (!isDocument(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
