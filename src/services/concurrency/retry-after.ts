/** In how many seconds clients that were shed may come back (RFC 9110 section 10.2.3): not all of them at the same time. */
export const RETRY_AFTER = ['1', '2', '3'] as const

const FIELDS = RETRY_AFTER.map((seconds) => [['Retry-After', seconds]] as const)

/** The header fields that say so to one of them. */
export function retryAfter(random: () => number): (typeof FIELDS)[number] {
  return FIELDS[Math.floor(random() * FIELDS.length)] ?? FIELDS[0]!
}
