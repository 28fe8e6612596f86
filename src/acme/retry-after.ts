/** The longest that a server is believed to mean, in milliseconds: a week, as long as the limits of public CAs last. */
const LONGEST = 7 * 24 * 3600 * 1000

/** Milliseconds that a Retry-After field asks for (RFC 9110 section 10.2.3), at most a week; null for none. `now` is wall-clock time. */
export function retryAfter(field: string | undefined, now: number): number | null {
  if (field === undefined) return null
  const ms = /^\d{1,9}$/.test(field) ? Number(field) * 1000 : Date.parse(field) - now
  if (Number.isNaN(ms)) return null
  return Math.min(Math.max(ms, 0), LONGEST)
}
