import { hash } from 'node:crypto'
import { formatAddress } from '../../core/address.ts'
import { type Fields, isFields } from '../../core/value.ts'

/** Options do not nest deeper; anything deeper is a circular reference. */
const DEPTH = 32

/** Whether the value is a plain map. */
export function isPlain(value: unknown): value is Fields {
  return isFields(value) && Object.getPrototypeOf(value) === Object.prototype
}

/** Seconds per unit of a rate, longest unit first. */
const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const

/**
 * The form of a value that is compared and shown: addresses and rates as written, PEM as its digest, and without undefined members. A value
 * that several routes share stays one value.
 */
export function canonical(value: unknown, depth = 0, known = new Map<unknown, unknown>()): unknown {
  if (typeof value === 'string') return value.includes('-----BEGIN ') ? digestOf(value) : value
  if (depth > DEPTH) return value
  if (Array.isArray(value)) return value.map((item) => canonical(item, depth + 1, known))
  if (!isPlain(value)) return value
  const made = known.get(value) ?? canonicalFields(value, depth, known)
  known.set(value, made)
  return made
}

function canonicalFields(value: Fields, depth: number, known: Map<unknown, unknown>): unknown {
  const { host, port, limit, window } = value
  const entries = Object.entries(value).filter(([, field]) => field !== undefined)
  if (entries.length === 2 && typeof host === 'string' && typeof port === 'number') return formatAddress({ host, port })
  if (entries.length === 2 && typeof limit === 'number' && typeof window === 'number' && window % 1000 === 0)
    return rateOf(limit, window)
  return Object.fromEntries(entries.map(([key, field]) => [key, canonical(field, depth + 1, known)]))
}

function rateOf(limit: number, window: number): string {
  const seconds = window / 1000
  const [unit, length] = UNITS.find(([, each]) => seconds % each === 0) ?? ['s', 1]
  return `${limit}/${seconds === length ? '' : seconds / length}${unit}`
}

/** A short digest of a value that does not depend on the order of keys. */
export function digestOf(value: unknown): string {
  const text = JSON.stringify(value, (_, field: unknown) =>
    isPlain(field)
      ? Object.fromEntries(Object.entries(field).toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))))
      : field,
  )
  return `sha256:${hash('sha256', text).slice(0, 12)}`
}
