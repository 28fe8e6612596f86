import { intendedPattern } from '../../routing/foreign-pattern.ts'
import { parsePattern, PatternError } from '../../routing/pattern.ts'
import type { Fidelity } from '../report.ts'
import { hasVariable } from '../variables.ts'
import { regexPath } from './regex-path.ts'

/** One path of a route, as written in the configuration. */
export interface ImportedPath {
  /** As written in the source, for messages. */
  readonly written: string
  readonly pattern: string
  readonly pathRegex: string | null
  readonly parameters: readonly string[]
  /** The plain prefix, without a trailing slash; null for an expression. */
  readonly prefix: string | null
  /** The part that Kong strips from a matching path; see `RegexPath`. */
  readonly strips: 'all' | 'to rest' | null
}

type Tell = (fidelity: Fidelity, note: string) => void

/** Paths that Kong 2 treats as plain; it treats all others as expressions. */
const PLAIN_BEFORE_3 = /^[a-zA-Z0-9._~/%-]*$/

/** A path of a route; null if it cannot be imported, which is reported. `guessesRegex` is the behavior of formats 1.1 and 2.1. */
export function importPath(written: string, guessesRegex: boolean, tell: Tell): ImportedPath | null {
  if (hasVariable(written)) {
    tell('left out', `The path ${written} is a variable: write the path itself.`)
    return null
  }
  const isMarked = written.startsWith('~')
  if (isMarked || (guessesRegex && !PLAIN_BEFORE_3.test(written)))
    return importRegex(written, isMarked ? written.slice(1) : written, tell)
  return importPrefix(written, tell)
}

function importRegex(written: string, regex: string, tell: Tell): ImportedPath | null {
  const found = regexPath(regex)
  if (!('refusal' in found)) return { written, prefix: null, ...found }
  tell('left out', `The path ${written} was left out: the regular expression ${found.refusal}.`)
  return null
}

/** Kong compares texts, but a pattern compares segments. */
function importPrefix(written: string, tell: Tell): ImportedPath | null {
  const plain = written.replaceAll(/\/{2,}/g, '/')
  const prefix = plain.replace(/\/$/, '')
  if (prefix === '') return { written, pattern: '/*', pathRegex: null, parameters: [], prefix, strips: 'to rest' }
  const meant = intendedPattern(written)
  const isLiteral = !/[{}*]/.test(prefix)
  const pattern = (isLiteral ? usable(`${prefix}/*`) : null) ?? usable(`${escaped(prefix)}/*`)
  if (pattern === null) {
    tell('left out', `The path ${written} was left out: it is not a valid path.`)
    return null
  }
  if (meant !== null || /[{}*[\]]/.test(written))
    tell(
      'different',
      `The path ${written} is plain text in Kong 3, because it does not begin with "~", and matches only that text.` +
        (meant === null ? '' : ` If it was meant as a regular expression, use ${meant}.`),
    )
  if (plain.endsWith('/'))
    tell('different', `${pattern} also matches ${prefix}. Kong does not match that with ${written}.`)
  else tell('narrower', `${pattern} does not match ${prefix}-x, as Kong does: it matches whole path segments.`)
  return { written, pattern, pathRegex: null, parameters: [], prefix: pattern.slice(0, -2), strips: 'to rest' }
}

/** Escapes characters that have a meaning in patterns. */
function escaped(prefix: string): string {
  return prefix.replaceAll(/[^A-Za-z0-9\-._~/%@!&'=,;]/g, (character) => {
    const code = encodeURIComponent(character)
    return code === character ? `%${character.charCodeAt(0).toString(16).toUpperCase()}` : code
  })
}

function usable(pattern: string): string | null {
  try {
    return parsePattern(pattern).text
  } catch (error) {
    if (error instanceof PatternError || error instanceof URIError) return null
    throw error
  }
}
