/** A request as an attacker, or a broken client, sends it, and the one thing that may become of it. */
export interface RequestCase {
  readonly name: string
  /** Where the rule stands. */
  readonly rfc: string
  /** One character a byte. */
  readonly send: string
  /** What the service gets, message after message; nothing by default. */
  readonly forwarded?: readonly string[]
  /** Status of the gateway's own reply to what is not forwarded, which ends the connection; none by default. */
  readonly refused?: number
  /** It was refused for what it asks and is sound as a message: the connection goes on. */
  readonly kept?: boolean
  /** It means something else when it comes in pieces. */
  readonly atOnce?: boolean
  /** The fault lies behind the head: sent in pieces, the head is on its way to the service before it shows. */
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

/** GET / with those field lines. */
export function get(...fields: string[]): string {
  return request('GET /', fields)
}

export interface Forwarded {
  readonly host?: string
  /** End-to-end fields. */
  readonly fields?: readonly string[]
  /** Fields behind those that say where the message came from: framing, and what belongs to the connection. */
  readonly last?: readonly string[]
  readonly body?: string
  /** The version of HTTP in which it came; 1.1 by default. */
  readonly version?: string
}

/** The exact form in which the gateway passes a request on. */
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

/** As `forwarded`, with a body at hand. */
export function forwardedBody(line: string, body: string, fields: readonly string[] = []): string {
  return forwarded(line, { fields, last: [`Content-Length: ${body.length}`], body })
}

/** What the gateway passes on of `get()`. */
export const plain = forwarded('GET /')

/** The text in double quotes, with the bytes that cannot be seen escaped. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 40)}… (${text.length})` : text)
}
