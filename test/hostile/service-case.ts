/** What a service that is hostile, or broken, answers with, and the one thing that may become of it. */
export interface ServiceCase {
  readonly name: string
  /** Where the rule stands. */
  readonly rfc: string
  /** GET by default. */
  readonly method?: string
  /** Fields of the request. */
  readonly fields?: readonly string[]
  /** Bytes, written at once or in pieces. */
  readonly reply: string | readonly string[]
  /** What the service does behind them; it leaves the connection open by default. */
  readonly last?: 'end'
  /** Every byte that the client gets; or else … */
  readonly passed?: string
  /** … what it gets before its connection is reset; or else it is told 502. */
  readonly cut?: string
  /** The connection to the service is good for another request. */
  readonly reused?: boolean
}

/** A group of cases under one rule. */
export function cases(rfc: string, rows: readonly Omit<ServiceCase, 'rfc'>[]): ServiceCase[] {
  return rows.map((row) => ({ rfc, ...row }))
}

/** A reply of the service, or the one that the gateway passes on. */
export function reply(status: string, fields: readonly string[] = [], body = ''): string {
  return `HTTP/1.1 ${status}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n${body}`
}

/** The Date field that the gateway adds, by the clock of the test. */
export const DATE = 'Date: Mon, 15 Jan 2024 10:30:00 GMT'
