import { compileWhole, refusalOfPattern } from '../../regexp/linear.ts'
import { UnusablePattern } from '../../regexp/unusable-pattern.ts'
import { parsePattern, PatternError } from '../../routing/pattern.ts'

/** A regular expression for paths, as written in the configuration. */
export interface RegexPath {
  readonly pattern: string
  /** An expression that the whole path must also match; null if the pattern is sufficient. */
  readonly pathRegex: string | null
  /** Names of the parameters, in the order in which they appear in the pattern. */
  readonly parameters: readonly string[]
  /** The part of a path that Kong strips if it strips the match: all of it, all except what "*" matches, or unknown. */
  readonly strips: 'all' | 'to rest' | null
}

/** A whole segment with any content. */
const ANY = /^\[\^\\?\/\]\+$/
/** Any continuation. */
const TAIL = /^(?:\.[*+]|\(\.[*+]\)|\(\?:\.[*+]\))$/
/** A named or unnamed group around a whole segment. */
const GROUP = /^\((?:\?P?<([A-Za-z_]\w*)>|\?:)?([^()]*)\)$/
/** More than a literal character. */
const META = /[\\^$.|?*+()[\]{}]/
/** May match a slash: a dot outside a class, or a negated class. */
const MAY_BE_SLASH = /\/|\\[DSW]|\[\^(?!\\?\/)|^(?:[^[\\]|\\.|\[[^\]]*\])*\./
const MAX_LENGTH = 900

/**
 * Translates Kong's regular expression, which must match the beginning of a path, to a pattern if it consists of segments, otherwise to a
 * pattern with an additional expression. Returns a refusal if it cannot be matched in linear time.
 */
export function regexPath(written: string): RegexPath | { readonly refusal: string } {
  const alternatives = splitOutside(written, '|').map((each) => {
    const regex = each.replace(/^\^/, '')
    const isWhole = /(?:^|[^\\])(?:\\\\)*\$$/.test(regex)
    return { source: isWhole ? regex.slice(0, -1) : regex, isWhole }
  })
  const [only, ...others] = alternatives
  if (only !== undefined && others.length === 0) {
    const { source, isWhole } = only
    return bySegments(source, isWhole) ?? byExpression(source, isWhole, literalPrefix(source))
  }
  const wholes = alternatives.map(({ source, isWhole }) => (isWhole ? source : `${source}.*`))
  return byExpression(`(?:${wholes.join('|')})`, true, '')
}

/** Null if some segment is neither a literal nor a parameter. */
function bySegments(source: string, isWhole: boolean): RegexPath | null {
  if (!source.startsWith('/')) return null
  const segments: string[] = []
  const parameters: string[] = []
  const parts = splitSegments(source.slice(1))
  const isRest = TAIL.test(parts.at(-1) ?? '')
  let isExact = true
  for (const part of isRest ? parts.slice(0, -1) : parts) {
    const literal = literalOf(part)
    if (literal !== null) {
      segments.push(literal)
      continue
    }
    const [, name, inner] = GROUP.exec(part) ?? []
    const expression = inner ?? part
    const parameter = name ?? `p${parameters.length + 1}`
    if (parameters.includes(parameter) || !isOfOneSegment(expression)) return null
    parameters.push(parameter)
    segments.push(`{${parameter}}`)
    if (!ANY.test(expression)) isExact = false
  }
  // Kong ignores what follows the end of the match: "/a/b" also matches "/a/bc".
  const isOpen = !isWhole && !isRest
  const endsInLiteral = !parts.at(-1)?.includes('[') && literalOf(parts.at(-1) ?? '') !== null
  if (isOpen && endsInLiteral) segments.pop()
  const path = [...segments, ...(isOpen || isRest ? ['*'] : [])].map((segment) => `/${segment}`).join('')
  const pattern = usable(path)
  if (pattern === null) return null
  if (isExact && !isRest && !(isOpen && endsInLiteral))
    return { pattern, pathRegex: null, parameters, strips: isOpen ? 'to rest' : 'all' }
  const pathRegex = isOpen ? `${source}.*` : source
  if (pathRegex.length > MAX_LENGTH || refusalOfPattern(pathRegex) !== null) return null
  return { pattern, pathRegex, parameters, strips: isOpen ? null : 'all' }
}

/** Whether it matches single segments only, and none of them empty. */
function isOfOneSegment(expression: string): boolean {
  if (!ANY.test(expression) && MAY_BE_SLASH.test(expression)) return false
  try {
    return !compileWhole(expression)('')
  } catch (error) {
    if (error instanceof UnusablePattern) return false
    throw error
  }
}

function byExpression(source: string, isWhole: boolean, prefix: string): RegexPath | { readonly refusal: string } {
  const regex = isWhole ? source : `${source}.*`
  if (regex.length > MAX_LENGTH) return { refusal: `has more than ${MAX_LENGTH} characters` }
  const refusal = refusalOfPattern(regex)
  if (refusal !== null) return { refusal }
  const strips = isWhole || /(?<!\\)\.[*+]\)?$/.test(source) ? 'all' : null
  return { pattern: usable(`${prefix}/*`) ?? '/*', pathRegex: regex, parameters: [], strips }
}

/** The segments before the first one that is not a literal. */
function literalPrefix(source: string): string {
  if (!source.startsWith('/')) return ''
  const literals: string[] = []
  const parts = splitSegments(source.slice(1))
  for (const [i, part] of parts.entries()) {
    const literal = literalOf(part)
    // The last segment may continue.
    if (literal === null || literal === '' || i === parts.length - 1) break
    literals.push(literal)
  }
  return literals.map((literal) => `/${literal}`).join('')
}

/** Splits at slashes outside classes and groups, including escaped ones. */
function splitSegments(source: string): string[] {
  return splitOutside(source.replaceAll(/\\\//g, '/'), '/')
}

/** Splits at a character outside classes and groups that is not escaped. */
function splitOutside(source: string, separator: string): string[] {
  const parts: string[] = []
  let depth = 0
  let isClass = false
  let current = ''
  for (let i = 0; i < source.length; i++) {
    const character = source.charAt(i)
    if (character === separator && depth === 0 && !isClass) {
      parts.push(current)
      current = ''
      continue
    }
    current += character
    if (character === '\\') current += source.charAt(++i)
    else if (isClass) isClass = character !== ']'
    else if (character === '[') isClass = true
    else if (character === '(') depth++
    else if (character === ')') depth--
  }
  return [...parts, current]
}

/** The text that a segment matches, if it is a single one; otherwise null. */
function literalOf(part: string): string | null {
  const text = part.replaceAll(/\\([^A-Za-z0-9])/g, '$1')
  const rest = part.replaceAll(/\\[^A-Za-z0-9]/g, '')
  return META.test(rest) ? null : text
}

function usable(pattern: string): string | null {
  try {
    parsePattern(pattern)
    return pattern
  } catch (error) {
    if (error instanceof PatternError) return null
    throw error
  }
}
