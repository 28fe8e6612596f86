const ONE_RANGE = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i

/** A byte range: from `start` up to `end`, exclusive. It is unsatisfiable where `start` is not below `end`. */
export interface Part {
  readonly start: number
  readonly end: number
}

/**
 * The part of `length` bytes that a Range field requests (RFC 9110 section 14.2). Null where the whole is to be sent:
 * several ranges, another unit, or an invalid range.
 */
export function partOf(range: string, length: number): Part | null {
  const [match, first = '', last = ''] = ONE_RANGE.exec(range) ?? []
  if (match === undefined) return null
  if (first === '') return last === '' ? null : { start: Math.max(0, length - Number(last)), end: length }
  const start = Number(first)
  if (last === '') return { start, end: length }
  return Number(last) < start ? null : { start, end: Math.min(Number(last) + 1, length) }
}

/** The Content-Range value for the part; for an unsatisfiable range it only gives the total length. */
export function contentRange({ start, end }: Part, length: number): string {
  return start < end ? `bytes ${start}-${end - 1}/${length}` : `bytes */${length}`
}
