import { normalizePath } from '../routing/path.ts'

/** A segment of a path in an OpenAPI document: literals with parameters between them, one literal more than names. */
export interface TemplateParts {
  readonly texts: readonly string[]
  readonly names: readonly string[]
}

const NOT_VISIBLE_ASCII = /[^\x21-\x7e]+/g

/** Splits a segment such as "{name}.{format}" (OpenAPI 3.1.1 section 4.8.8); null if braces do not match. */
export function partsOf(segment: string): TemplateParts | null {
  const parts = segment.split(/\{([^{}]+)\}/)
  const texts = parts.filter((_, i) => i % 2 === 0)
  if (texts.some((text) => /[{}]/.test(text))) return null
  return { texts, names: parts.filter((_, i) => i % 2 === 1) }
}

/** A literal of a segment, spelled as in the normal form of a path; null if no path can contain it. */
export function spellText(text: string): string | null {
  const encoded = text.isWellFormed() ? text.replace(NOT_VISIBLE_ASCII, encodeURIComponent) : text
  // Tested after a character that is not a dot: the literal is only a part of a segment, so "." is not a dot segment.
  return normalizePath(`/-${encoded}`)?.slice(2) ?? null
}
