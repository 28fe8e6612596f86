/** A map as it comes out of YAML or is written in code. */
export type Fields = Readonly<Record<string, unknown>>

/** Whether the value is a map. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of a map's own key; undefined for any other value and key. */
export function fieldOf(value: unknown, key: string): unknown {
  return isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** The items of a list; none for any other value. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The value at one step from another one; undefined where there is none. */
export function at(parent: unknown, step: string | number): unknown {
  return typeof step === 'number' ? itemsOf(parent)[step] : fieldOf(parent, step)
}

/** A copy with another value at the path, which is there. */
export function put(parent: unknown, [step, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (step === undefined) return value
  const child = put(at(parent, step), rest, value)
  return Array.isArray(parent) ? parent.with(Number(step), child) : { ...(isFields(parent) && parent), [step]: child }
}
