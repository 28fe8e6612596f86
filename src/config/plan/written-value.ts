import type { Path } from '../problems.ts'
import { isFields } from '../../core/value.ts'
import type { Unit, UnitAt } from './units.ts'

/** A value of the configuration as one would write it: times and sizes with their units. */
export function writtenValue(value: unknown, path: Path, unitAt: UnitAt): unknown {
  if (typeof value === 'number') return writtenNumber(value, unitAt(path))
  if (Array.isArray(value)) return value.map((item, i) => writtenValue(item, [...path, i], unitAt))
  if (!isFields(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, writtenValue(field, [...path, key], unitAt)]),
  )
}

const SCALES = {
  milliseconds: [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ],
  bytes: [
    ['gb', 1024 ** 3],
    ['mb', 1024 ** 2],
    ['kb', 1024],
    ['b', 1],
  ],
} as const

/** In the largest unit that divides it evenly. */
function writtenNumber(number: number, unit: Unit): number | string {
  if (unit === null) return number
  if (number === 0) return unit === 'bytes' ? '0b' : '0s'
  const [name, factor] = SCALES[unit].find(([, each]) => number % each === 0) ?? ['', 1]
  return `${number / factor}${name}`
}
