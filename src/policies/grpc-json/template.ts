/** A part of a path between slashes: a literal in its normal form, any single part, or all remaining parts. */
export type Segment =
  | { readonly type: 'literal'; readonly text: string }
  | { readonly type: 'one' }
  | { readonly type: 'rest' }

/** A variable of a template: the segments from `start` up to `end`. */
export interface Variable {
  /** Names of fields, from the message inwards. */
  readonly path: readonly string[]
  readonly start: number
  /** Null: up to the end of the path. */
  readonly end: number | null
  /** Whether it may span several segments, so that the slashes between them belong to it. */
  readonly isMany: boolean
}

/** A path template (google/api/http.proto, "Path template syntax"). */
export interface PathTemplate {
  readonly segments: readonly Segment[]
  readonly variables: readonly Variable[]
  /** The part after the last colon, or "". */
  readonly verb: string
}

/** A template that cannot be used; the message says what is wrong. */
export class TemplateError extends Error {}

const NAMES = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/
/** The characters of a segment (RFC 3986 section 3.3). */
const LITERAL = /^(?:[\w.~!$&'()+,;=:@-]|%[\dA-Fa-f]{2})+$/

/** Parses a template such as "/v1/{name=shelves/*}:move". Throws TemplateError. */
export function parseTemplate(template: string): PathTemplate {
  const segments: Segment[] = []
  const variables: Variable[] = []
  const fail = (expected: string): never => {
    throw new TemplateError(`the path ${JSON.stringify(template)}; expected ${expected}`)
  }
  const addSegment = (text: string): void => {
    if (segments.at(-1)?.type === 'rest') fail('"**" as the last part')
    if (text === '*') segments.push({ type: 'one' })
    else if (text === '**') segments.push({ type: 'rest' })
    else if (LITERAL.test(text)) segments.push({ type: 'literal', text })
    else fail('parts that are texts, "*", "**" or {variables}')
  }
  const addVariable = (inner: string): void => {
    const equals = inner.indexOf('=')
    const name = equals === -1 ? inner : inner.slice(0, equals)
    const pattern = equals === -1 ? '*' : inner.slice(equals + 1)
    if (!NAMES.test(name)) fail('a {variable} with the name of a field')
    const path = name.split('.')
    if (variables.some((each) => each.path.join('.') === name)) fail(`{${name}} once`)
    const start = segments.length
    const parts = pattern.split('/')
    for (const part of parts) addSegment(part)
    const hasRest = parts.includes('**')
    variables.push({ path, start, end: hasRest ? null : segments.length, isMany: hasRest || parts.length > 1 })
  }
  if (!template.startsWith('/')) fail('it to begin with "/"')
  if (template.endsWith(':')) fail('a text behind the last ":"')
  const { parts, verb } = split(template)
  if (parts === null) return fail('braces in pairs, around whole parts')
  // "/" alone is a path without segments.
  if (parts.length > 1 || parts[0] !== '')
    for (const part of parts) {
      const inner = /^\{([^{}]*)\}$/.exec(part)?.[1]
      if (inner === undefined) addSegment(part)
      else addVariable(inner)
    }
  if (verb !== '' && !LITERAL.test(verb)) fail('a text behind the last ":"')
  return { segments, variables, verb }
}

/** The parts between slashes outside of braces, and the verb after them; null if the braces do not match. */
function split(template: string): { readonly parts: readonly string[] | null; readonly verb: string } {
  const last = template.lastIndexOf(':')
  const hasVerb = last > template.lastIndexOf('/') && last > template.lastIndexOf('}')
  const path = hasVerb ? template.slice(1, last) : template.slice(1)
  const verb = hasVerb ? template.slice(last + 1) : ''
  const parts = path.match(/\{[^{}]*\}|[^/{}]+|(?<=^|\/)(?=\/|$)/g) ?? ['']
  return { parts: parts.join('/') === path ? parts : null, verb }
}
