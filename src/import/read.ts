import { itemsOf } from '../core/value.ts'

/** The text of a scalar; undefined if it is not one. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** The texts of a list, or of a single scalar instead of a list. */
export function textsOf(value: unknown): string[] {
  const all = Array.isArray(value) ? itemsOf(value) : [value]
  return all.map(textOf).filter((text) => text !== undefined)
}

/** A finite number, even if it is written as text. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'string' && !/^\s*[+-]?\d+(?:\.\d+)?\s*$/.test(value)) return undefined
  const number = typeof value === 'string' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

/** True or false, even if it is written as text. */
export function flagOf(value: unknown): boolean | undefined {
  if (value === 'true' || value === 'false') return value === 'true'
  return typeof value === 'boolean' ? value : undefined
}

/** The duration in configuration syntax for that many milliseconds, at least one. */
export function durationText(milliseconds: number): string {
  const whole = Math.min(Math.max(1, Math.round(milliseconds)), MAX_TIME)
  if (whole % 3_600_000 === 0) return `${whole / 3_600_000}h`
  if (whole % 60_000 === 0) return `${whole / 60_000}m`
  return whole % 1000 === 0 ? `${whole / 1000}s` : `${whole}ms`
}

/** The longest duration allowed in a configuration. */
const MAX_TIME = 3650 * 86_400_000
