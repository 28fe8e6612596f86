import { intendedPattern } from './foreign-pattern.ts'
import { normalizePath } from './path.ts'

/** A parsed path pattern. */
export interface PathPattern {
  /** As written, but percent-encoded like request paths; the label in logs and metrics. */
  readonly text: string
  /** Identical for all patterns that match the same paths: `text` without parameter names. */
  readonly key: string
  readonly segments: readonly PatternSegment[]
  /** Whether it ends in "/*" and so also matches everything below its segments. */
  readonly isPrefix: boolean
}

/** One segment: a literal (empty only at the end, for a trailing slash) or a named parameter. */
export type PatternSegment = { readonly literal: string } | { readonly parameter: string }

/** An unusable pattern, host or prefix; the message says why and what is allowed. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/
const NOT_VISIBLE_ASCII = /[^\x21-\x7e]+/g

/**
 * Parses "/a/b" (exactly this path), "/a/*" (/a and everything below it) and "/a/{id}" (one non-empty segment).
 * Literals may be written as text or percent-encoded. Throws PatternError.
 */
export function parsePattern(text: string): PathPattern {
  const meant = intendedPattern(text)
  if (meant !== null)
    throw new PatternError(
      `is not a valid pattern: parameters are written {id}, and everything below as /*; did you mean "${meant}"?`,
    )
  if (!text.startsWith('/')) throw new PatternError('must start with "/"')
  const isPrefix = text.endsWith('/*')
  const written = (isPrefix ? text.slice(0, -2) : text).split('/').slice(1)
  const segments = written.map((segment, i) => parseSegment(segment, !isPrefix && i === written.length - 1))
  const names = parameterNames(segments)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new PatternError(`names the parameter {${twice}} twice: give each its own name`)
  const full = write(segments, isPrefix, (name) => `{${name}}`)
  const key = names.length === 0 ? full : write(segments, isPrefix, () => '{}')
  // Shares one string if both are equal: there may be many thousands of patterns.
  return { text: full === text ? text : full, key, segments, isPrefix }
}

/** The names of the parameters in the segments, in order. */
export function parameterNames(segments: readonly PatternSegment[]): string[] {
  return segments.flatMap((segment) => ('parameter' in segment ? [segment.parameter] : []))
}

function parseSegment(written: string, isLast: boolean): PatternSegment {
  const parameter = PARAMETER.exec(written)?.[1]
  // Assigning to this name would set the prototype of the object with the values.
  if (parameter === '__proto__') throw new PatternError('cannot name a parameter {__proto__}')
  if (parameter !== undefined) return { parameter }
  if (/[{}]/.test(written)) {
    throw new PatternError(
      `has "${written}": a parameter is a whole segment such as {id}, its name made of letters, digits and "_"`,
    )
  }
  if (written.includes('*')) {
    const example = /^[^*{}]+\*$/.test(written) ? `, as in "/${written.slice(0, -1)}/*"` : ''
    throw new PatternError(
      `has "${written}": "*" is allowed only as the whole last segment${example} (write a literal * as %2A)`,
    )
  }
  if (written === '' && !isLast) {
    throw new PatternError('has an empty segment: repeated slashes in requests are merged, so it would never match')
  }
  return { literal: parseLiteral(written) }
}

function parseLiteral(written: string): string {
  const path = written.isWellFormed()
    ? normalizePath(`/${written.replace(NOT_VISIBLE_ASCII, encodeURIComponent)}`)
    : null
  if (path === null || (path === '/' && written !== '')) {
    throw new PatternError(
      `has "${written}", which no request path can contain: no "?", "#", backslash, control character, malformed escape or dot segment`,
    )
  }
  return path.slice(1)
}

function write(segments: readonly PatternSegment[], isPrefix: boolean, parameter: (name: string) => string): string {
  const written = segments.map((segment) => ('literal' in segment ? segment.literal : parameter(segment.parameter)))
  return `/${[...written, ...(isPrefix ? ['*'] : [])].join('/')}`
}
