import { isMap, isScalar, Lexer, parseDocument, type Scalar, visit } from 'yaml'
import { isBuiltIn, isSecretName, MASK, maskedText, UNDER_SECRETS } from './masked-config.ts'

/** A text that consists of variables only, whose values are not in it. */
const VARIABLES = /^(?:\$\{[A-Za-z_]\w*\})+$/
/** A name with a value, as in a line that was commented out. */
const NAMED = /^([ \t]*#[ \t#-]*)([\w.-]+)([ \t]*[:=][ \t]*)(\S.*)$/
/** A quoted scalar or a block scalar: the content begins after the quote or the block header. */
const WRITTEN = /^((?:["']|[|>][^\n]*\n\s*)?)(.*?)(["']?)$/s
/** What the lexer inserts between pieces of the text: the start of a scalar, a document or an error. */
const MARKS = new Set(['\x02', '\x18', '\x1f'])

/**
 * The text of a YAML configuration, line by line as written, without secrets: values under a name that suggests a secret, in comments too,
 * and users and passwords in URLs are masked. Names of variables stay. For built-in policies, the same values are shown as in
 * `maskedConfig`.
 */
export function maskedSource(text: string): string {
  const found: { readonly start: number; readonly end: number; readonly value: string }[] = []
  visit(parseDocument(text, { keepSourceTokens: true }), {
    Scalar(key, node, path) {
      if (key === 'key') return
      const shown = shownOf(node, text, isUnderSecret(namesOf(path)))
      if (shown !== null) found.push(shown)
    },
  })
  found.push(...commentsOf(text))
  let masked = ''
  let at = 0
  for (const { start, end, value } of found.toSorted((a, b) => a.start - b.start)) {
    if (start < at) continue
    masked += text.slice(at, start) + value
    at = end
  }
  return masked + text.slice(at)
}

/** The keys of the pairs that a node is in, outermost first. */
function namesOf(ancestors: readonly unknown[]): string[] {
  return ancestors.flatMap((ancestor) => {
    if (typeof ancestor !== 'object' || ancestor === null || isMap(ancestor) || !('key' in ancestor)) return []
    const { key } = ancestor
    return isScalar(key) ? [String(key.value)] : []
  })
}

/** Whether one of the names suggests a secret. For options of built-in policies, whose meaning is known, only the last name counts. */
function isUnderSecret(names: readonly string[]): boolean {
  const place = names[0] === 'routes' ? names.slice(1) : names
  const [policies, policy = '', ...options] = place
  const last = options.at(-1)
  if (policies !== 'policies' || !isBuiltIn(policy) || last === undefined) return names.some(isSecretName)
  return isSecretName(last) || (UNDER_SECRETS.has(last) && options.some(isSecretName))
}

/** The text to show instead; null if it is shown unchanged. */
function shownOf({ range, value }: Scalar, text: string, secret: boolean) {
  if (range === null || range === undefined || (typeof value !== 'string' && typeof value !== 'number')) return null
  const [start, end] = range
  const written = text.slice(start, end)
  if (secret) return VARIABLES.test(String(value)) ? null : { start, end, value: inLines(written) }
  const [, begin = '', content = '', ends = ''] = WRITTEN.exec(written) ?? []
  const shown = begin + maskedText(content) + ends
  return shown === written ? null : { start, end, value: shown }
}

/** Keeps the number of lines, so that the lines below keep their numbers. */
function inLines(written: string): string {
  const [first = '', ...rest] = written.split('\n')
  const begins = /^[|>]/.test(first) ? first : MASK
  return [begins, ...rest.map((line) => line.replace(/\S.*/, MASK))].join('\n')
}

function commentsOf(text: string) {
  const found: { start: number; end: number; value: string }[] = []
  let at = 0
  for (const token of new Lexer().lex(text)) {
    if (MARKS.has(token)) continue
    if (token.startsWith('#')) {
      const named = NAMED.exec(token)
      const secret = named !== null && isSecretName(named[2] ?? '') && !VARIABLES.test(named[4] ?? '')
      const value = secret ? token.replace(NAMED, `$1$2$3${MASK}`) : maskedText(token)
      if (value !== token) found.push({ start: at, end: at + token.length, value })
    }
    at += token.length
  }
  return found
}
