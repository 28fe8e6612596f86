import { messageOf } from '../core/error-facts.ts'
import { z } from 'zod'
import type { Exchange, RouteInfo } from '../http/exchange.ts'
import { isToken } from '../core/field.ts'
import { pickClaim } from './pick-claim.ts'

/** A text with values of the exchange inserted, encoded for the place where it is used. */
export type Template = (exchange: Exchange) => string

/** The kind of value of a placeholder: text, a request header byte for byte, or a path in its normal form. */
type Kind = 'text' | 'bytes' | 'path'

interface Reader {
  readonly kind: Kind
  readonly read: Template
}

/** How values are encoded where the template is used, and which literal text is allowed. */
export interface TemplateStyle extends Readonly<Record<Kind, (value: string) => string>> {
  /** What is wrong with a literal part; null if nothing. */
  readonly flaw: (literal: string) => string | null
}

const same = (value: string): string => value
const decoded = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8')
const flawOfField = (literal: string): string | null =>
  plain(literal) === literal ? null : `${JSON.stringify(literal)} contains characters other than visible ASCII`

/** For a header: visible ASCII, or bytes of the request's own headers. */
export const fieldStyle: TemplateStyle = { text: plain, bytes: same, path: plain, flaw: flawOfField }

/** For text that is encoded afterwards, as in JSON and queries. */
export const textStyle: TemplateStyle = {
  text: (value) => value.toWellFormed(),
  bytes: decoded,
  path: same,
  flaw: () => null,
}

const text = (read: Template): Reader => ({ kind: 'text', read })

/** Placeholders that have the same value for every request of a route. */
const ofRoute = new Map<string, (route: RouteInfo) => string>([
  ['service', ({ service }) => service ?? ''],
  ['route.id', ({ id }) => id],
])

/** Placeholders without a name of their own after a dot. */
const fixed = new Map<string, Reader>([
  ['method', text((exchange) => exchange.method)],
  ['path', { kind: 'path', read: (exchange) => exchange.path }],
  ['host', text((exchange) => exchange.host)],
  ...Array.from(ofRoute, ([name, read]) => [name, text(({ route }) => read(route))] as const),
  ['client.address', text((exchange) => exchange.client.address)],
  ['client.scheme', text((exchange) => exchange.client.scheme)],
  ['consumer.id', text((exchange) => exchange.consumer?.id ?? '')],
  ['consumer.roles', text((exchange) => exchange.consumer?.roles.join(',') ?? '')],
  ['consumer.tier', text((exchange) => exchange.consumer?.tier ?? '')],
  ['correlation.id', text((exchange) => exchange.correlationId)],
])

/** Placeholders that consist of a family, a dot and a name. */
const named = new Map<string, (name: string) => Reader>([
  ['claim', (name) => text((exchange) => claimText(exchange, name))],
  ['query', (name) => text((exchange) => new URLSearchParams(exchange.query).get(name) ?? '')],
  ['path', (name) => text((exchange) => (Object.hasOwn(exchange.params, name) ? (exchange.params[name] ?? '') : ''))],
])

const ALLOWED = [...fixed.keys(), 'claim.NAME', 'header.NAME', 'query.NAME', 'path.NAME']
  .map((name) => `{${name}}`)
  .join(' ')

/** A doubled brace, a placeholder, a stray brace, or text between them. */
const PART = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g

/** Schema of a template for a header as written in the configuration; `compileTemplate` succeeds for every text that it accepts. */
export const templateText = templateFor(
  fieldStyle,
  'Characters that a header cannot carry are percent-encoded as UTF-8.',
)

/** Schema of a template of that style; `note` explains how values are encoded. */
export function templateFor(style: TemplateStyle, note: string) {
  return z
    .string()
    .superRefine((template, context) => {
      try {
        compileTemplate(template, style)
      } catch (error) {
        context.addIssue({ code: 'custom', message: messageOf(error) })
      }
    })
    .describe(
      `Text in which {placeholders} stand for values of the request: ${ALLOWED}. path.NAME is a parameter of the ` +
        `route; claim.NAME a claim of the token; dots lead into nested claims. A missing value is empty. {{ and }} are literal braces. ${note}`,
    )
}

/** Compiles a template when the configuration loads. Throws an Error that says what is wrong and what is allowed. */
export function compileTemplate(template: string, style: TemplateStyle = fieldStyle): Template {
  const parts = parseTemplate(template, style)
  const [only] = parts
  if (parts.length === 1 && typeof only === 'function') return only
  return (exchange) => {
    let value = ''
    for (const part of parts) value += typeof part === 'string' ? part : part(exchange)
    return value
  }
}

/**
 * The text of a header template that is the same for every request of the route; null for any other. Throws as `compileTemplate`
 * does.
 */
export function constantText(template: string, route: RouteInfo): string | null {
  const parts = parseTemplate(template, fieldStyle, route)
  return parts.every((part) => typeof part === 'string') ? parts.join('') : null
}

/** Whether any template among the options refers to the route. */
export function readsRoute(options: unknown): boolean {
  const written = JSON.stringify(options) ?? ''
  return [...ofRoute.keys()].some((name) => written.includes(`{${name}}`))
}

/** The parts of a template; values of the route, if given, become literal text. */
function parseTemplate(template: string, style: TemplateStyle, route?: RouteInfo): (string | Template)[] {
  const parts: (string | Template)[] = []
  for (const [part, placeholder] of template.matchAll(PART)) {
    const known = route === undefined ? undefined : ofRoute.get(placeholder ?? '')?.(route)
    if (known !== undefined) parts.push(style.text(known))
    else if (placeholder !== undefined) parts.push(resolve(placeholder, style))
    else if (part === '{{' || part === '}}') parts.push(part.charAt(0))
    else if (part === '{' || part === '}')
      throw new Error(`a single "${part}": write "${part}${part}" for a literal one`)
    else parts.push(checked(part, style))
  }
  return parts
}

function checked(literal: string, style: TemplateStyle): string {
  const flaw = style.flaw(literal)
  if (flaw !== null) throw new Error(flaw)
  return literal
}

function resolve(placeholder: string, style: TemplateStyle): Template {
  const [, family = '', name = ''] = /^([a-z]+)\.(.+)$/.exec(placeholder) ?? []
  const reader =
    family === 'header' && isToken(name) ? headerReader(name) : (fixed.get(placeholder) ?? named.get(family)?.(name))
  if (reader === undefined) throw new Error(`unknown placeholder {${placeholder}}; allowed are ${ALLOWED}`)
  const write = style[reader.kind]
  const { read } = reader
  return (exchange) => write(read(exchange))
}

/** Lists and maps have no single text form: they yield an empty text. */
function claimText({ consumer }: Exchange, name: string): string {
  const value = consumer === null ? undefined : pickClaim(consumer.claims, name)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

function headerReader(name: string): Reader {
  return { kind: 'bytes', read: (exchange) => exchange.headers.combined(name) ?? '' }
}

/** Percent-encodes everything but visible ASCII and spaces, as UTF-8: text cannot be sent as bytes, and CR or LF would split a header. */
function plain(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value
  return value.toWellFormed().replace(/[^\x20-\x7e]+/g, encodeURIComponent)
}
