import type { Headers } from '../http/headers.ts'
import { parseHttpDate } from '../http/http-date.ts'

/** Identifies a version of a file. */
export interface Validators {
  /** A strong entity tag. */
  readonly etag: string
  /** Wall-clock time of its last change, in milliseconds rounded to whole seconds. */
  readonly modified: number
}

const TAG = /(W\/)?("[^"]*")/g

/**
 * The status that the conditions of a GET or HEAD request require instead of the file: 412, 304, or null for the file itself (RFC 9110
 * section 13.2.2). `wall` is the wall-clock time in milliseconds.
 */
export function statusByConditions(headers: Headers, { etag, modified }: Validators, wall: number): 304 | 412 | null {
  const match = headers.combined('If-Match')
  if (match !== undefined) {
    if (!names(match, etag, false)) return 412
  } else {
    const since = parseHttpDate(headers.get('If-Unmodified-Since'), wall)
    if (since !== null && modified > since) return 412
  }
  const noneMatch = headers.combined('If-None-Match')
  if (noneMatch !== undefined) return names(noneMatch, etag, true) ? 304 : null
  const since = parseHttpDate(headers.get('If-Modified-Since'), wall)
  return since !== null && modified <= since ? 304 : null
}

/** Whether a range may be sent, because the file is still the version that the client has the rest of (RFC 9110 section 13.1.5). */
export function mayBePart(headers: Headers, { etag, modified }: Validators, wall: number): boolean {
  const condition = headers.get('If-Range')
  if (condition === undefined) return true
  if (condition.includes('"')) return condition === etag
  return parseHttpDate(condition, wall) === modified
}

/** Whether a list of entity tags contains this one, or "*"; weak tags only count if `weakly` is set. */
function names(list: string, etag: string, weakly: boolean): boolean {
  if (list.trim() === '*') return true
  for (const [, weak, tag] of list.matchAll(TAG)) if (tag === etag && (weakly || weak === undefined)) return true
  return false
}
