import { compileWhole, refusalOfPattern } from '../../regexp/linear.ts'
import { UnusablePattern } from '../../regexp/unusable-pattern.ts'
import { parsePattern, PatternError } from '../../routing/pattern.ts'

/** A regular expression for paths, as the configuration has it. */
export interface RegexPath {
  readonly pattern: string
  /** What the whole path must be besides; null where the pattern says all. */
  readonly pathRegex: string | null
  /** Names of the parameters, in the order in which they stand in the pattern. */
  readonly parameters: readonly string[]
  /** What Kong takes off a path, where it strips what the expression has matched: all of it, all but what "*" stands for, or what cannot be said. */
  readonly strips: 'all' | 'to rest' | null
}

/** A whole segment, whatever it is. */
const ANY = /^\[\^\\?\/\]\+$/
/** Whatever follows. */
const TAIL = /^(?:\.[*+]|\(\.[*+]\)|\(\?:\.[*+]\))$/
/** A group with a name, or without, around all of a segment. */
const GROUP = /^\((?:\?P?<([A-Za-z_]\w*)>|\?:)?([^()]*)\)$/
/** Something that is more than a literal character. */
const META = /[\\^$.|?*+()[\]{}]/
/** What may stand for a slash: a dot outside of a class, or a class of what is not something. */
const MAY_BE_SLASH = /\/|\\[DSW]|\[\^(?!\\?\/)|^(?:[^[\\]|\\.|\[[^\]]*\])*\./
const LONGEST = 900

/**
 * Kong's regular expression, which the beginning of a path must fit, as a pattern where it is shaped in segments, else as
 * a pattern with an expression beside. A refusal where it cannot be followed in linear time.
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

/** Null where some segment is neither a literal nor a parameter. */
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
  // Kong goes on behind the end of an expression: "/a/b" takes "/a/bc".
  const isOpen = !isWhole && !isRest
  const endsInLiteral = !parts.at(-1)?.includes('[') && literalOf(parts.at(-1) ?? '') !== null
  if (isOpen && endsInLiteral) segments.pop()
  const path = [...segments, ...(isOpen || isRest ? ['*'] : [])].map((segment) => `/${segment}`).join('')
  const pattern = usable(path)
  if (pattern === null) return null
  if (isExact && !isRest && !(isOpen && endsInLiteral))
    return { pattern, pathRegex: null, parameters, strips: isOpen ? 'to rest' : 'all' }
  const pathRegex = isOpen ? `${source}.*` : source
  if (pathRegex.length > LONGEST || refusalOfPattern(pathRegex) !== null) return null
  return { pattern, pathRegex, parameters, strips: isOpen ? null : 'all' }
}

/** Whether it describes segments, none of them empty. */
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
  if (regex.length > LONGEST) return { refusal: `has more than ${LONGEST} characters` }
  const refusal = refusalOfPattern(regex)
  if (refusal !== null) return { refusal }
  const strips = isWhole || /(?<!\\)\.[*+]\)?$/.test(source) ? 'all' : null
  return { pattern: usable(`${prefix}/*`) ?? '/*', pathRegex: regex, parameters: [], strips }
}

/** The segments before the first one that is no literal. */
function literalPrefix(source: string): string {
  if (!source.startsWith('/')) return ''
  const literals: string[] = []
  const parts = splitSegments(source.slice(1))
  for (const [i, part] of parts.entries()) {
    const literal = literalOf(part)
    // What stands last may go on.
    if (literal === null || literal === '' || i === parts.length - 1) break
    literals.push(literal)
  }
  return literals.map((literal) => `/${literal}`).join('')
}

/** At slashes outside of classes and groups, also those with a backslash before them. */
function splitSegments(source: string): string[] {
  return splitOutside(source.replaceAll(/\\\//g, '/'), '/')
}

/** At a character outside of classes and groups, and not behind a backslash. */
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

/** The text that a segment stands for, where it is one text; null for any other. */
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
