import { isMap, isScalar, Lexer, parseDocument, type Scalar, visit } from 'yaml'
import { isBuiltIn, isSecretName, MASK, maskedText, UNDER_SECRETS } from './masked-config.ts'

/** What stands for nothing but variables, whose values are not there. */
const VARIABLES = /^(?:\$\{[A-Za-z_]\w*\})+$/
/** Something under a name, as in a line that was made a comment. */
const NAMED = /^([ \t]*#[ \t#-]*)([\w.-]+)([ \t]*[:=][ \t]*)(\S.*)$/
/** A scalar in its quotes, or below the mark of a block: what it says begins behind these. */
const WRITTEN = /^((?:["']|[|>][^\n]*\n\s*)?)(.*?)(["']?)$/s
/** What the lexer puts between what is in the text: where a scalar, a document or an error begins. */
const MARKS = new Set(['\x02', '\x18', '\x1f'])

/**
 * The text of a configuration in YAML, line by line as it is written, in which nothing is secret: what stands under a name that speaks of
 * one, in comments too, and users and passwords in URLs are masked. Names of variables stay. What is shown of the gateway's own policies is
 * what `maskedConfig` shows.
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

/** Names of the pairs that something is in, from the outermost. */
function namesOf(ancestors: readonly unknown[]): string[] {
  return ancestors.flatMap((ancestor) => {
    if (typeof ancestor !== 'object' || ancestor === null || isMap(ancestor) || !('key' in ancestor)) return []
    const { key } = ancestor
    return isScalar(key) ? [String(key.value)] : []
  })
}

/** Whether one of the names speaks of a secret; among options of the gateway's own policies, whose meaning is known, the last one. */
function isUnderSecret(names: readonly string[]): boolean {
  const place = names[0] === 'routes' ? names.slice(1) : names
  const [policies, policy = '', ...options] = place
  const last = options.at(-1)
  if (policies !== 'policies' || !isBuiltIn(policy) || last === undefined) return names.some(isSecretName)
  return isSecretName(last) || (UNDER_SECRETS.has(last) && options.some(isSecretName))
}

/** What is shown in its place; null where it is shown as it is. */
function shownOf({ range, value }: Scalar, text: string, secret: boolean) {
  if (range === null || range === undefined || (typeof value !== 'string' && typeof value !== 'number')) return null
  const [start, end] = range
  const written = text.slice(start, end)
  if (secret) return VARIABLES.test(String(value)) ? null : { start, end, value: inLines(written) }
  const [, begin = '', said = '', ends = ''] = WRITTEN.exec(written) ?? []
  const shown = begin + maskedText(said) + ends
  return shown === written ? null : { start, end, value: shown }
}

/** As many lines as there are: what stands below keeps its number. */
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
