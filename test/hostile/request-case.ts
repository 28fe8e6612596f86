/** A request as an attacker or a broken client sends it, and its only permitted outcome. */
export interface RequestCase {
  readonly name: string
  /** The section with the rule. */
  readonly rfc: string
  /** One character per byte. */
  readonly send: string
  /** What the service receives, message by message; nothing by default. */
  readonly forwarded?: readonly string[]
  /** The status of the gateway's own reply to what is not forwarded, which closes the connection; none by default. */
  readonly refused?: number
  /** It was rejected for its content but is well-formed: the connection stays open. */
  readonly kept?: boolean
  /** It has another meaning if it arrives in pieces. */
  readonly atOnce?: boolean
  /** The error is after the head: if sent in pieces, the head is forwarded before the error is detected. */
  readonly inBody?: boolean
}

/** A group of cases under one rule. */
export function cases(rfc: string, rows: readonly Omit<RequestCase, 'rfc'>[]): RequestCase[] {
  return rows.map((row) => ({ rfc, ...row }))
}

/** A request line with Host and further field lines. */
export function request(line: string, fields: readonly string[] = [], body = ''): string {
  return `${line} HTTP/1.1\r\n${['Host: a', ...fields].map((field) => `${field}\r\n`).join('')}\r\n${body}`
}

/** GET / with those header lines. */
export function get(...fields: string[]): string {
  return request('GET /', fields)
}

export interface Forwarded {
  readonly host?: string
  /** End-to-end header lines. */
  readonly fields?: readonly string[]
  /** Header lines after those about the origin of the message: framing and connection-specific ones. */
  readonly last?: readonly string[]
  readonly body?: string
  /** The HTTP version in which it arrived; 1.1 by default. */
  readonly version?: string
}

/** The exact form in which the gateway forwards a request. */
export function forwarded(
  line: string,
  { host = 'a', fields = [], last = [], body = '', version = '1.1' }: Forwarded = {},
): string {
  const lines = [
    `${line} HTTP/1.1`,
    `Host: ${host}`,
    ...fields,
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Proto: http',
    ...(host === '' ? [] : [`X-Forwarded-Host: ${host}`]),
    `Via: ${version} sallyport`,
    ...last,
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

/** Like `forwarded`, with a buffered body. */
export function forwardedBody(line: string, body: string, fields: readonly string[] = []): string {
  return forwarded(line, { fields, last: [`Content-Length: ${body.length}`], body })
}

/** How the gateway forwards `get()`. */
export const plain = forwarded('GET /')

/** The text in double quotes, with invisible bytes escaped. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 40)}… (${text.length})` : text)
}
