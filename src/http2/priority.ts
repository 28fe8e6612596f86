/** What a request has that says nothing (RFC 9218 section 4.1). */
const USUAL = 3

/** The urgency that a Priority field value asks for, 0 to 7, the most urgent first; what cannot be read asks for the usual. */
export function urgencyOf(value: string): number {
  const [, digit] = /(?:^|,)\s*u=([0-7])\s*(?=$|[,;])/.exec(value) ?? []
  return digit === undefined ? USUAL : Number(digit)
}
