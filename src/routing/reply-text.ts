import { escapeFor, flawOfPlace, textKindOf } from '../http/text-kind.ts'
import { type PathPattern, PatternError } from './pattern.ts'
import { type RedirectedRequest, REQUEST_VALUES, valueOf } from './redirect.ts'
import { partFor, type TargetPart } from './target.ts'

/**
 * A double pair of braces, which stands for a literal single one, or a placeholder. Any other braces are literal text, as in JSON and shell
 * scripts.
 */
const PLACEHOLDER = /\{\{([A-Za-z_]\w*)\}\}|(?<!\$)\{([A-Za-z_]\w*)\}/g

/** The parts of a request that a fixed reply may refer to. */
export type RepliedRequest = Omit<RedirectedRequest, 'query'>

/** A text of a fixed reply: constant, or a function that creates it. */
export type ReplyText = string | ((request: RepliedRequest) => string)

/**
 * Compiles the body of a fixed reply: `{name}` stands for a parameter that all patterns have or for a request value, escaped according to
 * the content type; `{{name}}` stands for the literal text "{name}". Throws PatternError.
 */
export function compileBody(body: string, contentType: string | null, patterns: readonly PathPattern[]): ReplyText {
  const parts = parse(body, patterns)
  if (parts.every((part) => 'text' in part)) return textOf(parts)
  const kind = contentType === null ? null : textKindOf(contentType)
  if (kind === null)
    throw new PatternError(
      `has placeholders, and ${contentType === null ? 'no Content-Type' : `Content-Type ${JSON.stringify(contentType)}`} to escape them for; expected one of plain text, JSON, HTML or XML among its headers`,
    )
  let before = ''
  for (const part of parts) {
    if ('text' in part) {
      before += part.text
      continue
    }
    const flaw = flawOfPlace(kind, before)
    if (flaw !== null) throw new PatternError(`has {${nameOf(part)}} ${flaw}`)
    // Whatever the value is, it is not empty.
    before += 'x'
  }
  return fill(parts, (value) => value, escapeFor[kind])
}

/** Compiles a header value of a fixed reply. Parameters are percent-encoded, as in redirects. Throws PatternError. */
export function compileField(name: string, value: string, patterns: readonly PathPattern[]): ReplyText {
  const parts = parse(value, patterns)
  if (parts.every((part) => 'text' in part)) return textOf(parts)
  if (isContentType(name)) throw new PatternError('has a placeholder; expected one and the same type for every request')
  return fill(parts, encodeURIComponent, (text) => text)
}

/** The content type of a reply with these headers, or null. */
export function contentTypeAmong(fields: Iterable<readonly [name: string, value: string]>): string | null {
  for (const [name, value] of fields) if (isContentType(name)) return value
  return null
}

function isContentType(name: string): boolean {
  return name.toLowerCase() === 'content-type'
}

function parse(text: string, patterns: readonly PathPattern[]): TargetPart[] {
  const parts: TargetPart[] = []
  let at = 0
  for (const match of text.matchAll(PLACEHOLDER)) {
    const [written, literal, name = ''] = match
    parts.push({ text: text.slice(at, match.index) })
    parts.push(literal === undefined ? partFor(name, patterns, REQUEST_VALUES) : { text: `{${literal}}` })
    at = match.index + written.length
  }
  parts.push({ text: text.slice(at) })
  return parts
}

function textOf(parts: readonly TargetPart[]): string {
  return parts.map((part) => ('text' in part ? part.text : '')).join('')
}

function nameOf(part: TargetPart): string {
  if ('text' in part) return part.text
  return 'parameter' in part ? part.parameter : part.value
}

function fill(
  parts: readonly TargetPart[],
  encode: (parameter: string) => string,
  escape: (value: string) => string,
): (request: RepliedRequest) => string {
  return (request) => {
    let filled = ''
    for (const part of parts) {
      if ('text' in part) filled += part.text
      else if ('parameter' in part) filled += escape(encode(request.params[part.parameter]?.toWellFormed() ?? ''))
      else filled += escape(valueOf(request, part.value))
    }
    return filled
  }
}
