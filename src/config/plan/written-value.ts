import type { Path } from '../problems.ts'
import { isFields, itemsOf } from '../../core/value.ts'
import type { Unit } from '../../core/unit.ts'
import type { UnitAt } from './units.ts'

/** A value of the configuration as one would write it: numbers with their units, and rates as they are. */
export function writtenValue(value: unknown, path: Path, unitAt: UnitAt): unknown {
  if (typeof value === 'number') {
    const unit = unitAt(path)
    return unit === null || unit === 'rates' ? value : WRITTEN[unit](value)
  }
  if (Array.isArray(value) && value.length < 2 && unitAt(path) === 'rates') return itemsOf(value)[0] ?? false
  if (Array.isArray(value)) return value.map((item, i) => writtenValue(item, [...path, i], unitAt))
  if (!isFields(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, writtenValue(field, [...path, key], unitAt)]),
  )
}

const WRITTEN: Readonly<Record<Exclude<Unit, 'rates'>, (number: number) => string>> = {
  milliseconds: scaled('0s', { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }),
  bytes: scaled('0b', { gb: 1024 ** 3, mb: 1024 ** 2, kb: 1024, b: 1 }),
  // Not 28.999999999999996%.
  percent: (part) => `${Number((100 * part).toPrecision(12))}%`,
  'per-second': (number) => `${number}/s`,
  date: (wall) => new Date(wall).toISOString().replace('.000Z', 'Z'),
}

/** In the largest unit that divides a number evenly; `units` are from the largest to the smallest. */
function scaled(zero: string, units: Readonly<Record<string, number>>): (number: number) => string {
  const scales = Object.entries(units)
  return (number) => {
    if (number === 0) return zero
    const [name, factor] = scales.find(([, each]) => number % each === 0) ?? ['', 1]
    return `${number / factor}${name}`
  }
}
