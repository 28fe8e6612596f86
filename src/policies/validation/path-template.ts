import { partsOf, spellText } from '../../openapi/path-template.ts'
import { UnusableSchema } from './schema.ts'

/** A segment of a path in an OpenAPI document. */
export type Segment =
  | { readonly type: 'literal'; readonly text: string }
  /** A parameter that is a whole segment; null for a "*", which has no name. */
  | { readonly type: 'parameter'; readonly name: string | null }
  /** Literals with parameters between them, as in "{name}.{format}" and "{id}:cancel": one literal more than names. */
  | { readonly type: 'mixed'; readonly texts: readonly string[]; readonly names: readonly string[] }
  /** Any number of segments; at least one if it has a name. */
  | { readonly type: 'rest'; readonly name: string | null }

const PARAMETER = /^\{([^{}]+)\}$/
/** As written by routers of frameworks, and in documents derived from them by hand. */
const COLON = /^:([A-Za-z_]\w*)$/
/** How frameworks write a parameter that spans several segments: {+p}, {*p}, {p*}, {p+}, {p...}, {p:path}, {p:.*}. */
const SEVERAL = /^(?:[+*](?<before>.+)|(?<after>[^:]+?)(?:[*+]|\.\.\.|:path|:\.[*+]\??))$/
/** A name with a framework's constraint on its values, as in {id:int}. */
const TYPED = /^([^:]+):.+$/

/**
 * Parses a path of a document, including wildcards of frameworks; `declared` are the names of the parameters in the document.
 * Throws UnusableSchema for a path that cannot be matched.
 */
export function parseTemplate(template: string, declared: readonly string[]): readonly Segment[] {
  const written = template.split('/').slice(1)
  const segments = written.map((segment, i) => {
    const parsed = parseSegment(segment, template, i === written.length - 1)
    const inner = PARAMETER.exec(segment)?.[1]
    const keepsName = inner !== undefined && declared.includes(inner)
    if (!keepsName || (parsed.type !== 'parameter' && parsed.type !== 'rest')) return parsed
    return { type: parsed.type, name: inner }
  })
  if (segments.filter(({ type }) => type === 'rest').length > 1)
    throw unusable(template, 'expected no more than one wildcard')
  return segments
}

function parseSegment(segment: string, template: string, isLast: boolean): Segment {
  if (segment === '**' || (segment === '*' && isLast)) return { type: 'rest', name: null }
  if (segment === '*') return { type: 'parameter', name: null }
  const inner = PARAMETER.exec(segment)?.[1] ?? COLON.exec(segment)?.[1]
  if (inner === undefined) return parseMixed(segment, template)
  const several = SEVERAL.exec(inner)?.groups
  if (several !== undefined) return { type: 'rest', name: several['before'] ?? several['after'] ?? null }
  return { type: 'parameter', name: TYPED.exec(inner)?.[1] ?? inner }
}

function parseMixed(segment: string, template: string): Segment {
  const parts = partsOf(segment)
  if (parts === null) throw unusable(template, 'expected parameters such as {id}')
  const { texts, names } = parts
  if (texts.slice(1, -1).includes('')) throw unusable(template, 'expected a text between two parameters')
  const spelled = texts.map((text) => spellText(text.replaceAll('*', '%2A')) ?? text)
  return names.length === 0 ? { type: 'literal', text: spelled.join('') } : { type: 'mixed', texts: spelled, names }
}

function unusable(template: string, expected: string): UnusableSchema {
  return new UnusableSchema(`has the path ${JSON.stringify(template)}; ${expected}`)
}

/** Negative if the first takes precedence for a path that both match: literals before parameters, parameters before wildcards. */
export function compareTemplates(a: readonly Segment[], b: readonly Segment[]): number {
  const length = Math.max(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const order = rank(a[i]) - rank(b[i]) || literalLength(b[i]) - literalLength(a[i])
    if (order !== 0) return order
  }
  return 0
}

function rank(segment: Segment | undefined): number {
  return segment === undefined ? 3 : { literal: 0, mixed: 1, parameter: 2, rest: 4 }[segment.type]
}

function literalLength(segment: Segment | undefined): number {
  return segment?.type === 'mixed' ? segment.texts.join('').length : 0
}

/** The parameter values in a path in normal form, given as its segments; null if it does not match. Takes time linear in the path. */
export function matchTemplate(
  template: readonly Segment[],
  path: readonly string[],
): readonly (readonly [name: string, value: string])[] | null {
  const at = template.findIndex(({ type }) => type === 'rest')
  const rest = template[at]
  if (rest === undefined) return path.length === template.length ? matchAll(template, path) : null
  const behind = template.length - at - 1
  const end = path.length - behind
  if (end < at || rest.type !== 'rest' || (rest.name !== null && end === at)) return null
  const before = matchAll(template.slice(0, at), path.slice(0, at))
  const after = matchAll(template.slice(at + 1), path.slice(end))
  if (before === null || after === null) return null
  const value = rest.name === null ? [] : [[rest.name, decode(path.slice(at, end).join('/'))] as const]
  return [...before, ...value, ...after]
}

function matchAll(template: readonly Segment[], path: readonly string[]): (readonly [string, string])[] | null {
  const values: (readonly [string, string])[] = []
  for (const [i, segment] of template.entries()) {
    const found = matchSegment(segment, path[i] ?? '')
    if (found === null) return null
    values.push(...found)
  }
  return values
}

function matchSegment(segment: Segment, text: string): (readonly [string, string])[] | null {
  if (segment.type === 'literal') return segment.text === text ? [] : null
  if (segment.type === 'mixed') return matchMixed(segment.texts, segment.names, text)
  if (text === '') return null
  return segment.name === null ? [] : [[segment.name, decode(text)]]
}

/** Each literal is searched for after the previous one, at its first occurrence; a parameter is never empty. */
function matchMixed(
  texts: readonly string[],
  names: readonly string[],
  text: string,
): (readonly [string, string])[] | null {
  const [first = '', ...others] = texts
  const last = others.at(-1) ?? ''
  const end = text.length - last.length
  let start = first.length
  if (!text.startsWith(first) || !text.endsWith(last)) return null
  const values: (readonly [string, string])[] = []
  for (const [i, name] of names.entries()) {
    const isLast = i === names.length - 1
    const next = others[i] ?? ''
    const stop = isLast ? end : text.indexOf(next, start + 1)
    if (stop <= start || stop > end) return null
    values.push([name, decode(text.slice(start, stop))])
    start = stop + next.length
  }
  return values
}

function decode(text: string): string {
  return text.includes('%') ? decodeURIComponent(text) : text
}
