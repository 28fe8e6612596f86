/** Seconds: those who were shed together should not come back together. */
const FIELDS = [1, 2, 3].map((seconds) => [['Retry-After', String(seconds)]] as const)

/** When a client that was shed may come back: in one to three seconds (RFC 9110 section 10.2.3). */
export function retryAfter(random: () => number): (typeof FIELDS)[number] {
  return FIELDS[Math.floor(random() * FIELDS.length)] ?? FIELDS[0]!
}
