/** What a hostile or broken service replies, and its only permitted outcome. */
export interface ServiceCase {
  readonly name: string
  /** The section with the rule. */
  readonly rfc: string
  /** GET by default. */
  readonly method?: string
  /** Headers of the request. */
  readonly fields?: readonly string[]
  /** Bytes, written at once or in pieces. */
  readonly reply: string | readonly string[]
  /** What the service does after them; it leaves the connection open by default. */
  readonly last?: 'end'
  /** Every byte that the client receives; or else … */
  readonly passed?: string
  /** … what it receives before its connection is reset; or else it gets a 502. */
  readonly cut?: string
  /** The connection to the service can be reused. */
  readonly reused?: boolean
}

/** A group of cases under one rule. */
export function cases(rfc: string, rows: readonly Omit<ServiceCase, 'rfc'>[]): ServiceCase[] {
  return rows.map((row) => ({ rfc, ...row }))
}

/** A reply of the service, or the forwarded one. */
export function reply(status: string, fields: readonly string[] = [], body = ''): string {
  return `HTTP/1.1 ${status}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n${body}`
}

/** The Date header that the gateway adds, by the clock of the test. */
export const DATE = 'Date: Mon, 15 Jan 2024 10:30:00 GMT'
