/** Maximum delay accepted from a server, in milliseconds: a week, the longest period of public CAs' rate limits. */
const MAX_TIME = 7 * 24 * 3600 * 1000

/** The delay of a Retry-After header in milliseconds (RFC 9110 section 10.2.3), at most a week; null for none. `now` is wall-clock time. */
export function retryAfter(field: string | undefined, now: number): number | null {
  if (field === undefined) return null
  const ms = /^\d{1,9}$/.test(field) ? Number(field) * 1000 : Date.parse(field) - now
  if (Number.isNaN(ms)) return null
  return Math.min(Math.max(ms, 0), MAX_TIME)
}
