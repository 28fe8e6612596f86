const ONE_RANGE = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i

/** A part of some octets: from `start` up to `end`, exclusively. There is none of it where `start` is not below `end`. */
export interface Part {
  readonly start: number
  readonly end: number
}

/**
 * The part of so many octets that a Range field asks for (RFC 9110 section 14.2). Null where the whole is to be sent: several
 * ranges, another unit, or what is no range.
 */
export function partOf(range: string, length: number): Part | null {
  const [match, first = '', last = ''] = ONE_RANGE.exec(range) ?? []
  if (match === undefined) return null
  if (first === '') return last === '' ? null : { start: Math.max(0, length - Number(last)), end: length }
  const start = Number(first)
  if (last === '') return { start, end: length }
  return Number(last) < start ? null : { start, end: Math.min(Number(last) + 1, length) }
}

/** The field that says which part it is: of none, how long the whole is. */
export function contentRange({ start, end }: Part, length: number): string {
  return start < end ? `bytes ${start}-${end - 1}/${length}` : `bytes */${length}`
}
