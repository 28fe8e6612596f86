import type { Exchange } from '../../../http/exchange.ts'
import type { InnerList, ListedItem } from '../../structured-fields.ts'

/** Parts of a request that a signature may cover, in addition to headers (RFC 9421 section 2.2). */
const derived: Readonly<Record<string, (exchange: Exchange) => string>> = {
  '@method': ({ method }) => method,
  '@target-uri': (exchange) => `${exchange.client.scheme}://${authorityOf(exchange)}${targetOf(exchange)}`,
  '@authority': authorityOf,
  '@scheme': ({ client }) => client.scheme,
  '@request-target': targetOf,
  '@path': (exchange) => targetOf(exchange).replace(/\?.*$/s, ''),
  '@query': ({ query }) => query || '?',
}

/** Components that include others: a signature that covers the former also covers the latter. */
const wholes: Readonly<Record<string, readonly string[]>> = {
  '@target-uri': ['@scheme', '@authority', '@request-target', '@path', '@query'],
  '@request-target': ['@path', '@query'],
}

/** Whether the name is that of a component that may be required. */
export function isComponent(name: string): boolean {
  return Object.hasOwn(derived, name) || /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)
}

/** Whether a signature covers all of these. */
export function covers({ items }: InnerList, required: readonly string[]): boolean {
  const covered = new Set(
    items.flatMap(({ value, parameters }) =>
      typeof value === 'string' && parameters.size === 0 ? [value, ...(wholes[value] ?? [])] : [],
    ),
  )
  return required.every((name) => covered.has(name))
}

/**
 * The signature base (RFC 9421 section 2.5), one character per byte; null if a component is missing from the request, occurs twice,
 * or is of an unknown kind.
 */
export function signatureBase(input: InnerList, exchange: Exchange): string | null {
  const lines = new Map<string, string>()
  const query = new QueryParameters(exchange)
  for (const item of input.items) {
    const value = valueOf(item, exchange, query)
    if (value === null || lines.has(item.text)) return null
    lines.set(item.text, value)
  }
  return [...lines, ['"@signature-params"', input.text]].map(([name, value]) => `${name}: ${value}`).join('\n')
}

function valueOf(
  { text, value: name, parameters }: ListedItem,
  exchange: Exchange,
  query: QueryParameters,
): string | null {
  // Names are Strings; a Token is a different type (RFC 9421 section 2).
  if (typeof name !== 'string' || !text.startsWith('"')) return null
  if (name === '@query-param') return parameters.size === 1 ? query.valueOf(parameters.get('name')) : null
  if (name.startsWith('@'))
    return parameters.size === 0 && Object.hasOwn(derived, name) ? (derived[name]?.(exchange) ?? null) : null
  const values = name === name.toLowerCase() ? exchange.headers.getAll(name) : []
  if (values.length === 0) return name === 'content-length' && parameters.size === 0 ? lengthOf(exchange) : null
  if (parameters.size === 0) return values.map((value) => value.trim()).join(', ')
  if (parameters.size > 1 || parameters.get('bs') !== true) return null
  return values.map((value) => `:${Buffer.from(value.trim(), 'latin1').toString('base64')}:`).join(', ')
}

/** The parameters of a query, read once however many of them a signature covers: anyone can claim that it covers hundreds. */
class QueryParameters {
  private readonly query: string
  /** Encoded name -> encoded value; null for a repeated parameter. */
  private values: Map<string, string | null> | null = null

  constructor({ query }: Exchange) {
    this.query = query
  }

  /** Null for a repeated parameter as well: it cannot be covered, as it is ambiguous (RFC 9421 section 2.2.8). */
  valueOf(name: unknown): string | null {
    if (typeof name !== 'string') return null
    this.values ??= this.read()
    return this.values.get(name) ?? null
  }

  private read(): Map<string, string | null> {
    const values = new Map<string, string | null>()
    for (const [name, value] of new URLSearchParams(this.query)) {
      const encoded = formEncode(name)
      values.set(encoded, values.has(encoded) ? null : formEncode(value))
    }
    return values
  }
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1).replaceAll('+', '%20')
}

/** The wire layer does not pass this header on. */
function lengthOf({ body }: Exchange): string | null {
  return body === null || body.length < 0 ? null : String(body.length)
}

/** In lower case, without the scheme's default port (RFC 9421 section 2.2.3). */
function authorityOf({ client, host }: Exchange): string {
  const authority = (client.host ?? host).toLowerCase()
  return authority.replace(client.scheme === 'https' ? /:443$/ : /:80$/, '')
}

/** Path and query as sent by the client. */
function targetOf({ target, path, query }: Exchange): string {
  return target ?? path + query
}
