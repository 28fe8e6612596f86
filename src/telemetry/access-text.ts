import { printable } from '../core/printable.ts'
import type { Color, Paint } from './paint.ts'

/** The message of each access log line, which identifies it. */
export const ACCESS_MESSAGE = 'API Gateway Request'

/** The members of a log line; all of them may come from clients. */
export type LineFields = Readonly<Record<string, unknown>>

/** Members that the text below covers, or that are only in the JSON format. */
const SAID: ReadonlySet<string> = new Set(
  (
    'method url status_code duration_ms user_id correlation_id trace_id user_agent ip_address route service instance code bytes cache ' +
    'attempts retried'
  ).split(' '),
)

const OF_THIS_MACHINE = /^(?:127\.0\.0\.1|localhost|\[::1\])(?=:\d+$)/

/** The text of an access log line, such as `200 GET /books/1 1.7ms books → :8101 HIT`, and the remaining members. */
export function accessText(fields: LineFields, paint: Paint): { readonly text: string; readonly rest: LineFields } {
  const { level, status_code: status, method, url, duration_ms: duration } = fields
  const slow: Color = level === 'warn' ? 'yellow' : 'dim'
  const color = level === 'error' ? 'red' : colorOf(status)
  const parts = [
    paint(color, textOf(status)),
    paint('bold', textOf(method)),
    textOf(url).replace(/^https?:\/\/[^/]*/, ''),
    paint(slow, durationText(duration)),
    destinationText(fields),
    cacheText(fields['cache'], paint),
    fields['code'] === null ? '' : paint(color, textOf(fields['code'])),
    triesText(fields),
    fields['user_id'] === null ? '' : paint('dim', `by ${textOf(fields['user_id'])}`),
  ]
  const rest = Object.fromEntries(Object.entries(fields).filter(([name]) => !SAID.has(name)))
  // The correlation id is needed to look for the cause.
  if (level === 'error') rest['correlation_id'] = fields['correlation_id']
  return { text: parts.filter((part) => part !== '').join(' '), rest }
}

function colorOf(status: unknown): Color {
  if (typeof status !== 'number' || status >= 500) return 'red'
  if (status >= 400) return 'yellow'
  return status >= 200 && status < 300 ? 'green' : 'cyan'
}

/** The service and its instance, or the route if it has no service. */
function destinationText({ route, service, instance }: LineFields): string {
  const to = textOf(service ?? route)
  return typeof instance === 'string' ? `${to} → ${printable(instance.replace(OF_THIS_MACHINE, ''))}` : to
}

/** In familiar words: HIT, MISS, or why the cache was not consulted. */
function cacheText(cache: unknown, paint: Paint): string {
  if (typeof cache !== 'string') return ''
  const word = cache.endsWith('miss') ? 'MISS' : printable(cache.toUpperCase())
  return paint(word === 'HIT' ? 'green' : 'dim', word)
}

function triesText({ attempts, retried }: LineFields): string {
  if (typeof attempts !== 'number' || attempts < 2) return ''
  return typeof retried === 'string' ? `${attempts} attempts (${printable(retried)})` : `${attempts} attempts`
}

/** Milliseconds in human-readable form: 1.7ms, 250ms, 3.25s. */
function durationText(milliseconds: unknown): string {
  if (typeof milliseconds !== 'number') return ''
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(2)}s`
  return milliseconds >= 100 ? `${Math.round(milliseconds)}ms` : `${milliseconds.toFixed(1)}ms`
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? printable(String(value)) : ''
}
