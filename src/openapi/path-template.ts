import { normalizePath } from '../routing/path.ts'

/** A segment of a path in an OpenAPI document: texts with parameters between them, one text more than names. */
export interface TemplateParts {
  readonly texts: readonly string[]
  readonly names: readonly string[]
}

const NOT_VISIBLE_ASCII = /[^\x21-\x7e]+/g

/** Takes a segment such as "{name}.{format}" apart (OpenAPI 3.1.1 section 4.8.8); null where a brace stands alone. */
export function partsOf(segment: string): TemplateParts | null {
  const parts = segment.split(/\{([^{}]+)\}/)
  const texts = parts.filter((_, i) => i % 2 === 0)
  if (texts.some((text) => /[{}]/.test(text))) return null
  return { texts, names: parts.filter((_, i) => i % 2 === 1) }
}

/** A text of a segment as the normal form of a path spells it; null for one that no path can have. */
export function spellText(text: string): string | null {
  const encoded = text.isWellFormed() ? text.replace(NOT_VISIBLE_ASCII, encodeURIComponent) : text
  // Behind a character that is no dot: a text is not the whole segment, and "." alone is none of the path.
  return normalizePath(`/-${encoded}`)?.slice(2) ?? null
}
