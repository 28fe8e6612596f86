import { UnusablePattern } from './unusable-pattern.ts'

/** A regular expression of ECMA-262 with the flag u. */
export interface Expression {
  readonly source: string
  readonly ignoresCase: boolean
}

/** Escapes that are valid with the flag u. */
const ESCAPE =
  /\\(?:[dDwWsSbBfnrtv]|0(?!\d)|c[A-Za-z]|x[\da-fA-F]{2}|u[\da-fA-F]{4}|u\{[\da-fA-F]+\}|[pP]\{[^}]*\}|k<[^>]*>|[1-9]\d*|[\^$\\.*+?()[\]{}|/])/y
const QUANTIFIER = /\{(?:\d+(?:,\d*)?|,\d+)\}/y
const CLASS_ESCAPE = /^\\[dDwWsSpP]/
/** Anchors of other languages for the beginning and the end of the text. */
const ANCHORS: Readonly<Record<string, string>> = { '\\A': '^', '\\Z': '$', '\\z': '$' }

/**
 * Converts a pattern as commonly written to strict form: removes needless escapes such as `\-` and `\@`, escapes literal braces,
 * brackets and hyphens (ECMA-262 annex B.1.2), and converts notations of Python, Java and Go: `(?P<name>…)`, `\A`, `\Z`, `\z`, and
 * a leading `(?i)`. Throws UnusablePattern for an invalid expression.
 */
export function strictForm(text: string): Expression {
  const reason = refusalOf(text)
  if (reason === null) return { source: text, ignoresCase: false }
  const flagged = /^(\^?)\(\?i\)/.exec(text)
  const written = flagged === null ? text : `${flagged[1]}${text.slice(flagged[0].length)}`
  const source = rewritten(written)
  if (refusalOf(source) !== null) throw new UnusablePattern(`is not a valid regular expression: ${reason}`)
  return { source, ignoresCase: flagged !== null }
}

function refusalOf(source: string): string | null {
  try {
    void new RegExp(source, 'u')
    return null
  } catch (error) {
    // The rest of the message repeats the expression.
    return error instanceof Error ? error.message.replace(/^.*\/[a-z]*: /s, '') : String(error)
  }
}

function rewritten(text: string): string {
  let result = ''
  let inClass = false
  let last = ''
  for (let at = 0; at < text.length; at += last.length) {
    const before = last
    last = tokenAt(text, at, inClass)
    if (inClass && last === '[' && /^\[:\^?\w+:\]/.test(text.slice(at)))
      throw new UnusablePattern('has a class such as "[:alpha:]"; expected one such as "[A-Za-z]"')
    result += inClass ? inside(last, before, text.slice(at + last.length)) : outside(last, text, at)
    if (last === '[' && !inClass) inClass = true
    else if (last === ']') inClass = false
  }
  return result
}

/** The escape, the quantifier with braces, or the character at a position. */
function tokenAt(text: string, at: number, inClass: boolean): string {
  for (const known of inClass ? [ESCAPE] : [ESCAPE, QUANTIFIER]) {
    known.lastIndex = at
    const [token] = known.exec(text) ?? []
    if (token !== undefined) return token
  }
  const slash = text[at] === '\\' ? '\\' : ''
  const code = text.codePointAt(at + slash.length)
  return code === undefined ? slash : slash + String.fromCodePoint(code)
}

function outside(token: string, text: string, at: number): string {
  if (token === ']' || token === '{' || token === '}') return `\\${token}`
  if (token === 'P' && text.slice(at - 2, at + 2) === '(?P<') return ''
  return ANCHORS[token] ?? unescaped(token)
}

function inside(token: string, before: string, after: string): string {
  const isLiteral = CLASS_ESCAPE.test(before) || CLASS_ESCAPE.test(after)
  return token === '-' && isLiteral ? '\\-' : unescaped(token)
}

/** Removes a meaningless backslash, but not before letters and digits, whose intended meaning is unknown. */
function unescaped(token: string): string {
  if (token.length === 1 || !token.startsWith('\\') || /^\\[A-Za-z\d^$\\.*+?()[\]{}|/]/.test(token)) return token
  const character = token.slice(1)
  return character < '\x80' ? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}` : character
}
