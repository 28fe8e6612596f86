import type { Headers } from '../../http/headers.ts'
import type { RouteFound } from '../../routing/candidate.ts'
import { createRouter, type RouteMissing } from '../../routing/router.ts'
import { compareTemplates, matchTemplate, parseTemplate, type Segment } from './path-template.ts'

/** An operation's path and method in a document. */
export interface TemplateEntry<T> {
  /** As in the document, such as "/orders/{id}". */
  readonly template: string
  /** In upper case. */
  readonly method: string
  /** Names of its parameters in the document. */
  readonly declared: readonly string[]
  readonly value: T
}

/** Looks up a path in normal form; parameters have the names used in the document. */
export type TemplateSearch<T> = (path: string, method: string, headers: Headers) => RouteFound<T> | RouteMissing

/** An entry for the router, or one that the router does not support: with wildcards in the middle, or parameters within a segment. */
interface Ranked<T> extends Omit<TemplateEntry<T>, 'declared'> {
  readonly segments: readonly Segment[]
  readonly names: readonly string[]
  /** The lower, the more specific. */
  readonly rank: number
  /** The common prefix of all paths that it matches. */
  readonly beginning: string
}

/** `prefix` is prepended to all templates. Throws UnusableSchema, and PatternError for a path that no request can have. */
export function compileTemplates<T>(prefix: string, entries: readonly TemplateEntry<T>[]): TemplateSearch<T> {
  const ranked = entries
    .map((entry) => ({ ...entry, segments: parseTemplate(prefix + entry.template, entry.declared) }))
    .toSorted((a, b) => compareTemplates(a.segments, b.segments))
    .map(({ template, method, value, segments }, rank) => {
      return { template, method, value, segments, rank, names: namesOf(segments), beginning: beginningOf(segments) }
    })
  const special = ranked.filter(({ segments }) => !isPlain(segments))
  const router = createRouter(
    ranked
      .filter(({ segments }) => isPlain(segments))
      .map((value) => ({ match: { path: [patternOf(value.segments)], method: [value.method] }, value })),
  )
  return (path, method, headers) => {
    const match = router.find('', path, method, headers, '')
    const close =
      special.length === 0 ? null : findSpecial(special, path, method, match.found ? match.value.rank : Infinity)
    if (close !== null && 'found' in close) return close
    if (!match.found) return { found: false, allow: [...new Set([...match.allow, ...(close?.allow ?? [])])].toSorted() }
    const { value, names, template } = match.value
    const params = Object.fromEntries(names.map((name, i) => [name, match.params[`p${i}`] ?? '']))
    return { found: true, value, pattern: template, params }
  }
}

/** The most specific matching entry of rank `rank` or lower, or the methods for which there would be one. */
function findSpecial<T>(
  entries: readonly Ranked<T>[],
  path: string,
  method: string,
  rank: number,
): RouteFound<T> | { readonly allow: readonly string[] } {
  const allow: string[] = []
  let segments: readonly string[] | null = null
  for (const entry of entries) {
    if (entry.rank > rank) break
    if (!path.startsWith(entry.beginning)) continue
    segments ??= path.split('/').slice(1)
    const values = matchTemplate(entry.segments, segments)
    if (values === null) continue
    if (entry.method === method || (entry.method === 'GET' && method === 'HEAD'))
      return { found: true, value: entry.value, pattern: entry.template, params: Object.fromEntries(values) }
    allow.push(entry.method, ...(entry.method === 'GET' ? ['HEAD'] : []))
  }
  return { allow }
}

function namesOf(segments: readonly Segment[]): string[] {
  return segments.flatMap((segment) => (segment.type === 'parameter' ? [segment.name ?? ''] : []))
}

/** The literals before the first other segment; without the trailing slash, as "/*" also matches its parent. */
function beginningOf(segments: readonly Segment[]): string {
  const first = segments.findIndex(({ type }) => type !== 'literal')
  const literals = segments.slice(0, first === -1 ? segments.length : first)
  return literals.map((segment) => `/${segment.type === 'literal' ? segment.text : ''}`).join('')
}

function isPlain(segments: readonly Segment[]): boolean {
  return segments.every(
    (segment) => segment.type === 'literal' || (segment.type === 'parameter' && segment.name !== null),
  )
}

/** As a pattern of the router, with generated parameter names: those of the document may be any text. */
function patternOf(segments: readonly Segment[]): string {
  let count = 0
  return segments.map((segment) => `/${segment.type === 'literal' ? segment.text : `{p${count++}}`}`).join('')
}
