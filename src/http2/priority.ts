/** The default urgency (RFC 9218 section 4.1). */
const USUAL = 3

/** The urgency in a Priority field value, 0 to 7, the most urgent first; the default where it cannot be parsed. */
export function urgencyOf(value: string): number {
  const [, digit] = /(?:^|,)\s*u=([0-7])\s*(?=$|[,;])/.exec(value) ?? []
  return digit === undefined ? USUAL : Number(digit)
}
