import type { Fields } from '../core/value.ts'

/**
 * Converts keywords of OpenAPI 3.0 to JSON Schema 2020-12. `nullable` also adds null in places where frameworks use it against the
 * letter of section 4.7.24: to enumerations without null, and to `allOf` and the like.
 */
export function modernSchema(schema: Fields): Fields {
  const { type, nullable, ...rest } = withNumericBounds(schema)
  if (nullable !== true) return { ...rest, ...(type !== undefined && { type }) }
  const values: unknown[] | null = Array.isArray(rest['enum']) ? rest['enum'] : null
  const list = values === null || values.includes(null) ? {} : { enum: [...values, null] }
  if (typeof type === 'string') return { ...rest, ...list, type: [type, 'null'] }
  const isJoined = ['allOf', 'anyOf', 'oneOf'].some((name) => name in rest)
  return isJoined ? { anyOf: [{ type: 'null' }, rest] } : { ...rest, ...list }
}

/** Converts boolean exclusive bounds, as in version 3.0 and in many documents that claim to be newer. */
export function withNumericBounds(schema: Fields): Fields {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, ...rest } = schema
  return {
    ...rest,
    ...bound('minimum', 'exclusiveMinimum', minimum, exclusiveMinimum),
    ...bound('maximum', 'exclusiveMaximum', maximum, exclusiveMaximum),
  }
}

function bound(name: string, exclusive: string, value: unknown, isExclusive: unknown): Fields {
  if (typeof isExclusive !== 'boolean')
    return {
      ...(value !== undefined && { [name]: value }),
      ...(isExclusive !== undefined && { [exclusive]: isExclusive }),
    }
  if (value === undefined) return {}
  return { [isExclusive ? exclusive : name]: value }
}
