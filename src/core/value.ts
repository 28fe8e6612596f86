/** A map as parsed from YAML or written in code. */
export type Fields = Readonly<Record<string, unknown>>

/** Whether the value is a map. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of a map's own key; undefined if there is no such key or the value is not a map. */
export function fieldOf(value: unknown, key: string): unknown {
  return isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** The items of a list; empty for any other value. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The value one step below `parent`; undefined if there is none. */
export function at(parent: unknown, step: string | number): unknown {
  return typeof step === 'number' ? itemsOf(parent)[step] : fieldOf(parent, step)
}

type Steps = readonly (string | number)[]

/**
 * Returns a copy with the values at these paths replaced; the paths must exist. Maps and lists along the way are copied only once, however
 * many paths lead through them.
 */
export function putAll(whole: unknown, places: Iterable<readonly [path: Steps, value: unknown]>): unknown {
  const copies = new Set<object>()
  let copy = whole
  for (const [path, value] of places) copy = put(copy, path, value, copies)
  return copy
}

function put(parent: unknown, [step, ...rest]: Steps, value: unknown, copies: Set<object>): unknown {
  if (step === undefined) return value
  const child = put(at(parent, step), rest, value, copies)
  const copy = copyOf(parent, copies)
  // Defined as an own property, even for names such as "__proto__".
  Object.defineProperty(copy, step, { value: child, enumerable: true, writable: true, configurable: true })
  return copy
}

function copyOf(value: unknown, copies: Set<object>): object {
  if (typeof value === 'object' && value !== null && copies.has(value)) return value
  const copy = Array.isArray(value) ? [...itemsOf(value)] : { ...(isFields(value) && value) }
  copies.add(copy)
  return copy
}
