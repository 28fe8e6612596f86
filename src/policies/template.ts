import { z } from 'zod'
import type { Exchange } from '../core/exchange.ts'
import { isToken } from '../core/headers.ts'

/** A text with values of the exchange filled in: visible ASCII, or bytes of the request's own header fields. */
export type Template = (exchange: Exchange) => string

/** What a placeholder stands for, if it has no name of its own. */
const fixed = new Map<string, Template>([
  ['method', (exchange) => exchange.method],
  ['path', (exchange) => exchange.path],
  ['host', (exchange) => exchange.host],
  ['service', (exchange) => exchange.route.service ?? ''],
  ['route.id', (exchange) => exchange.route.id],
  ['client.address', (exchange) => exchange.client.address],
  ['client.scheme', (exchange) => exchange.client.scheme],
  ['consumer.id', (exchange) => exchange.consumer?.id ?? ''],
  ['consumer.roles', (exchange) => exchange.consumer?.roles.join(',') ?? ''],
  ['consumer.tier', (exchange) => exchange.consumer?.tier ?? ''],
  ['correlation.id', (exchange) => exchange.correlationId],
])

/** What a placeholder stands for that is a family, a dot and a name. */
const named = new Map<string, (name: string) => Template>([
  ['query', (name) => (exchange) => new URLSearchParams(exchange.query).get(name) ?? ''],
  ['path', (name) => (exchange) => (Object.hasOwn(exchange.params, name) ? (exchange.params[name] ?? '') : '')],
])

const ALLOWED = [...fixed.keys(), 'header.NAME', 'query.NAME', 'path.NAME'].map((name) => `{${name}}`).join(' ')

/** A doubled brace, a placeholder, a brace that is neither, or text between them. */
const PART = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g

/** Schema of a template as it is written in the configuration; `compileTemplate` then succeeds. */
export const templateText = z
  .string()
  .superRefine((text, context) => {
    try {
      compileTemplate(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
    }
  })
  .describe(
    `Text in which {placeholders} stand for values of the request: ${ALLOWED}. path.NAME is a parameter of the route. ` +
      'A missing value is empty. {{ and }} are literal braces. Characters that a header cannot carry are ' +
      'percent-encoded as UTF-8.',
  )

/** Compiles a template when the configuration loads. Throws an Error that says what is wrong and what is allowed. */
export function compileTemplate(text: string): Template {
  const parts = parseTemplate(text)
  const [only] = parts
  if (parts.length === 1 && typeof only === 'function') return only
  return (exchange) => {
    let value = ''
    for (const part of parts) value += typeof part === 'string' ? part : part(exchange)
    return value
  }
}

/** The text of a template without placeholders; null if it has any. Throws as `compileTemplate` does. */
export function constantText(text: string): string | null {
  const parts = parseTemplate(text)
  return parts.every((part) => typeof part === 'string') ? parts.join('') : null
}

function parseTemplate(text: string): (string | Template)[] {
  const parts: (string | Template)[] = []
  for (const [part, placeholder] of text.matchAll(PART)) {
    if (placeholder !== undefined) parts.push(resolve(placeholder))
    else if (part === '{{' || part === '}}') parts.push(part[0]!)
    else if (part === '{' || part === '}')
      throw new Error(`a single "${part}": write "${part}${part}" for a literal one`)
    else if (plain(part) !== part) throw new Error(`${JSON.stringify(part)} holds characters other than visible ASCII`)
    else parts.push(part)
  }
  return parts
}

function resolve(placeholder: string): Template {
  const [, family = '', name = ''] = /^([a-z]+)\.(.+)$/.exec(placeholder) ?? []
  if (family === 'header' && isToken(name)) return (exchange) => exchange.headers.combined(name) ?? ''
  const read = fixed.get(placeholder) ?? named.get(family)?.(name)
  if (read === undefined) throw new Error(`unknown placeholder {${placeholder}}; allowed are ${ALLOWED}`)
  return (exchange) => plain(read(exchange))
}

/** Percent-encodes what is not visible ASCII or a space, as UTF-8: text is not bytes, and CR or LF would split a header. */
function plain(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text
  return text.toWellFormed().replace(/[^\x20-\x7e]+/g, encodeURIComponent)
}
