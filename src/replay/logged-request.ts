import { parseJson } from '../core/parse-json.ts'
import { type Fields, isFields } from '../core/value.ts'
import { ACCESS_MESSAGE } from '../telemetry/access-text.ts'

/** A request as recorded in the access log. */
export interface LoggedRequest {
  /** Line number in the log, from 1. */
  readonly line: number
  /** When it began, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly start: number
  readonly method: string
  readonly scheme: 'http' | 'https'
  /** "" if the client named none. */
  readonly host: string
  readonly path: string
  /** "?…" or "". */
  readonly query: string
  /** Path and query were longer than what is logged. */
  readonly cut: boolean
  readonly status: number
  /** The caller; null if anonymous. */
  readonly user: string | null
  /** Id of the API key that was used; null for none. */
  readonly key: string | null
  /** Undefined if the log does not contain it; this also applies to the next two. */
  readonly tier: string | undefined
  /** The caller's number of roles. */
  readonly roles: number | undefined
  readonly listener: string | undefined
  /** By lower-case name; null for a header that was absent. Undefined for headers that are not logged. */
  readonly fields: Readonly<Record<string, string | null>>
  readonly address: string
  /** Id of its route; "" for none. */
  readonly route: string
  readonly service: string | null
  /** The last instance that was tried; null for none. */
  readonly instance: string | null
  /** Code of the gateway's error; null for none. */
  readonly code: string | null
}

/** The result of reading a line: a request, another kind of line, or what is wrong with it. */
export type ReadLine = { readonly request: LoggedRequest } | { readonly other: true } | { readonly problem: string }

/** Maximum number of characters of path and query in the access log (telemetry/access-log.ts). */
const URL_LENGTH = 1024

const URL_PARTS = /^(?:(https?):\/\/([^/?*]*))?([^?]*)(.*)$/s

/** Parses a line of the log. */
export function readLine(text: string, line: number): ReadLine {
  const value = parseJson(text)
  if (!isFields(value)) return { problem: 'it is not a JSON object' }
  if (value['message'] !== ACCESS_MESSAGE) return { other: true }
  const at = Date.parse(textOf(value, 'timestamp') ?? '')
  const took = value['duration_ms']
  const status = value['status_code']
  const method = textOf(value, 'method')
  const address = textOf(value, 'ip_address')
  const route = textOf(value, 'route')
  if (!Number.isFinite(at)) return lacking('timestamp')
  if (typeof took !== 'number') return lacking('duration_ms')
  if (typeof status !== 'number') return lacking('status_code')
  if (method === null) return lacking('method')
  if (address === null) return lacking('ip_address')
  if (route === null) return lacking('route')
  const url = textOf(value, 'url') ?? ''
  const [, scheme = 'http', host = '', path = '', query = ''] = URL_PARTS.exec(url) ?? []
  if (path === '') return lacking('url')
  const { tier, roles, listener, headers } = value
  return {
    request: {
      line,
      start: at - took,
      method,
      scheme: scheme === 'https' ? 'https' : 'http',
      host,
      path,
      query,
      cut: path.length + query.length >= URL_LENGTH,
      status,
      user: textOf(value, 'user_id'),
      key: textOf(value, 'api_key'),
      tier: typeof tier === 'string' ? tier : undefined,
      roles: typeof roles === 'number' ? roles : undefined,
      listener: typeof listener === 'string' ? listener : undefined,
      fields: fieldsOf(headers, textOf(value, 'user_agent')),
      address,
      route,
      service: textOf(value, 'service'),
      instance: textOf(value, 'instance'),
      code: textOf(value, 'code'),
    },
  }
}

function lacking(member: string): ReadLine {
  return { problem: `it is a line of the access log without a valid ${member}` }
}

function textOf(value: Fields, name: string): string | null {
  const found = value[name]
  return typeof found === 'string' ? found : null
}

function fieldsOf(logged: unknown, agent: string | null): Record<string, string | null> {
  const fields: Record<string, string | null> = { 'user-agent': agent }
  if (!isFields(logged)) return fields
  for (const [name, value] of Object.entries(logged))
    if (value === null || typeof value === 'string') fields[name] = value
  return fields
}
