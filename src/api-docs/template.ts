import { partsOf, spellText } from '../openapi/path-template.ts'
import { normalizePath } from '../routing/path.ts'
import type { PathPattern } from '../routing/pattern.ts'
import { compileRewrite, isOfPrefix, type Rewrite } from '../routing/rewrite.ts'

/** One segment of a path in OpenAPI notation: a literal, a parameter, or both as in "{name}.json". */
interface TemplateSegment {
  readonly text: string
  /** Names of the parameters in it, in order. */
  readonly parameters: readonly string[]
}

/** A path of an OpenAPI document (OpenAPI 3.1.1 section 4.8.8). */
export type Template = readonly TemplateSegment[]

const PARAMETERS = /\{([^{}]+)\}/g

/** Parses a path of a document; null if no request can have such a path. */
export function parseTemplate(text: string): Template | null {
  if (!text.startsWith('/')) return null
  const segments = text.slice(1).split('/').map(parseSegment)
  if (segments.some((segment) => segment === null)) return null
  const template = segments.filter((segment) => segment !== null)
  return template.slice(0, -1).every((segment) => segment.text !== '') ? template : null
}

function parseSegment(written: string): TemplateSegment | null {
  const parts = partsOf(written)
  const texts = parts?.texts.map(spellText)
  if (parts === null || texts === undefined || texts.includes(null)) return null
  const { names } = parts
  const text = texts.map((each, i) => each + (i < names.length ? `{${names[i]}}` : '')).join('')
  // A literal may still be a dot segment.
  return names.length === 0 && normalizePath(`/${text}`) !== `/${text}` ? null : { text, parameters: names }
}

/** The path in OpenAPI notation. */
export function textOf(template: Template): string {
  return `/${template.map(({ text }) => text).join('/')}`
}

/** Equal for paths that differ only in the names of their parameters. */
export function keyOf(template: Template): string {
  return textOf(template).replace(PARAMETERS, '{}')
}

/** A path in normal form that matches the template, but no literal of a route. */
export function sampleOf(template: Template): string {
  return textOf(template).replace(PARAMETERS, (_, name: string) => `%7B${encodeURIComponent(name)}%7D`)
}

/** The names of the parameters, in order. */
export function parametersOf(template: Template): string[] {
  return template.flatMap(({ parameters }) => parameters)
}

/**
 * The part of a template that a pattern matches: unchanged, or with parameters replaced by the pattern's literals. Null if they
 * have no path in common.
 */
export function narrow(template: Template, { segments, isPrefix }: PathPattern): Template | null {
  // "/" has one segment, which is empty; "/*" has none.
  const path = isPrefix && template.length === 1 && template[0]!.text === '' && segments.length === 0 ? [] : template
  if (path.length < segments.length || (!isPrefix && path.length > segments.length)) return null
  const narrowed = segments.map((wanted, i) => {
    const segment = path[i]!
    if ('parameter' in wanted) return segment.text === '' ? null : segment
    if (segment.text === wanted.literal) return segment
    const isParameter = segment.parameters.length === 1 && segment.text === `{${segment.parameters[0]}}`
    return isParameter && wanted.literal !== '' ? { text: wanted.literal, parameters: [] } : null
  })
  const known = narrowed.filter((segment) => segment !== null)
  return known.length < segments.length ? null : [...known, ...template.slice(segments.length)]
}

/** The template of a pattern; "/*" becomes an additional parameter. */
export function templateOf({ segments, isPrefix }: PathPattern): Template {
  const template = segments.map((segment) =>
    'literal' in segment
      ? { text: segment.literal, parameters: [] }
      : { text: `{${segment.parameter}}`, parameters: [segment.parameter] },
  )
  if (!isPrefix) return template
  const names = parametersOf(template)
  const name = ['path', 'rest', 'below'].find((each) => !names.includes(each)) ?? `path${names.length}`
  return [...template, { text: `{${name}}`, parameters: [name] }]
}

/** The client paths that are rewritten to this path of the service. */
export function beforeRewrite(path: string, rewrite: Rewrite | undefined): string[] {
  if (rewrite === undefined) return [path]
  // The original of the service's path cannot be derived from a template.
  if (!isOfPrefix(rewrite)) return rewrite.path === undefined ? [path] : []
  const change = compileRewrite(rewrite)
  const [prefix, put] = 'strip' in rewrite ? [rewrite.strip, '/'] : [rewrite.prefix, rewrite.with]
  const [from, to] = [withoutSlash(prefix), withoutSlash(put)]
  const below = path === '/' ? '' : path
  const candidates = below === to || below.startsWith(`${to}/`) ? [from + below.slice(to.length) || '/', path] : [path]
  return candidates.filter((candidate) => change(candidate) === path)
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}
