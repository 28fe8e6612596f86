import { isFields } from '../../core/value.ts'

/**
 * Whether two items of a list are equal (JSON Schema core 2020-12 section 4.2.2), in time linear in their size: the library
 * compares all pairs, which a client could exploit.
 */
export function hasDuplicates(items: readonly unknown[]): boolean {
  const scalars = new Set<unknown>()
  const texts = new Set<string>()
  for (const item of items) {
    if (typeof item === 'object' && item !== null) texts.add(canonical(item))
    else scalars.add(item)
  }
  return scalars.size + texts.size < items.length
}

/** Returns the same text for equal values. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isFields(value)) return JSON.stringify(value)
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`
}
