/**
 * Seconds after which clients whose requests were shed may retry (RFC 9110 section 10.2.3); randomized so that they do not all return at
 * once.
 */
export const RETRY_AFTER = ['1', '2', '3'] as const

const FIELDS = RETRY_AFTER.map((seconds) => [['Retry-After', seconds]] as const)

/** The headers that tell one of these clients so. */
export function retryAfter(random: () => number): (typeof FIELDS)[number] {
  return FIELDS[Math.floor(random() * FIELDS.length)] ?? FIELDS[0]!
}
