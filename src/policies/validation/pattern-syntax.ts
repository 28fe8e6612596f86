import { strictForm } from './pattern-dialect.ts'
import { UnusablePattern } from './unusable-pattern.ts'

/**
 * A part of a regular expression. An atom is the source text of what takes one character; between a character of words
 * and another is a boundary, everywhere else it is inner.
 */
export type Part =
  | { readonly type: 'atom'; readonly source: string }
  | { readonly type: 'start' | 'end' | 'boundary' | 'inner' }
  | { readonly type: 'sequence' | 'choice'; readonly parts: readonly Part[] }
  | { readonly type: 'repeat'; readonly part: Part; readonly min: number; readonly max: number }

/** All of these must hold of the text: a part that occurs in it, or one that does not. */
export interface Condition {
  readonly part: Part
  readonly negated: boolean
}

/** What a regular expression asks of a text. */
export interface Pattern {
  readonly conditions: readonly Condition[]
  readonly ignoresCase: boolean
}

/** A class, an escape, the beginning of a group, a quantifier, or any other character. */
const TOKEN =
  /\[\^?(?:\\.|[^\]\\])*\]|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u\{[\da-fA-F]+\}|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\c[A-Za-z]|\\[pP]\{[^}]*\}|\\k<[^>]*>|\\\d+|\\.|\(\?<[^=!>]+>|\(\?<?[=!]|\(\?[^)]?|\{\d+(?:,\d*)?\}\??|[*+?]\??|./gsu

/**
 * Reads a regular expression (ECMA-262, with the flag u, as JSON Schema has it, or what `strictForm` makes one of) into
 * conditions on the text. Lookaheads are taken right after a leading "^", where they are further conditions. Throws
 * UnusablePattern for other lookarounds and back references, which no automaton can follow.
 */
export function parsePattern(text: string): Pattern {
  const { source, ignoresCase } = strictForm(text)
  return { conditions: new Parser(source.match(TOKEN) ?? []).parse(), ignoresCase }
}

/** Reads what is known to be a regular expression. */
class Parser {
  private readonly tokens: readonly string[]
  private at = 0

  constructor(tokens: readonly string[]) {
    this.tokens = tokens
  }

  parse(): Condition[] {
    if (this.tokens[0] !== '^' || this.tokens[1]?.startsWith('(?') !== true)
      return [{ part: this.alternatives(), negated: false }]
    this.at = 1
    const conditions: Condition[] = []
    while (this.tokens[this.at] === '(?=' || this.tokens[this.at] === '(?!') {
      const token = this.tokens[this.at++]
      conditions.push({ part: atStart(this.alternatives()), negated: token === '(?!' })
      this.at++
    }
    const part = this.alternatives()
    if (part.type === 'choice') {
      if (conditions.length > 0) throw unusable('a lookahead beside "|", without a group around the alternatives')
      const [first, ...others] = part.parts
      return [{ part: { type: 'choice', parts: [atStart(first!), ...others] }, negated: false }]
    }
    return [...conditions, { part: atStart(part), negated: false }]
  }

  private alternatives(): Part {
    const parts = [this.sequence()]
    while (this.tokens[this.at] === '|') {
      this.at++
      parts.push(this.sequence())
    }
    return parts.length === 1 ? parts[0]! : { type: 'choice', parts }
  }

  private sequence(): Part {
    const parts: Part[] = []
    while (this.at < this.tokens.length && this.tokens[this.at] !== '|' && this.tokens[this.at] !== ')')
      parts.push(this.repeated())
    return { type: 'sequence', parts }
  }

  private repeated(): Part {
    const part = this.single()
    const bounds = boundsOf(this.tokens[this.at] ?? '')
    if (bounds === null) return part
    this.at++
    return { type: 'repeat', part, ...bounds }
  }

  private single(): Part {
    const token = this.tokens[this.at++]!
    if (token === '^') return { type: 'start' }
    if (token === '$') return { type: 'end' }
    if (token === '(' || token === '(?:' || /^\(\?<[^=!]/.test(token)) {
      const inner = this.alternatives()
      this.at++
      return inner
    }
    if (/^\(\?[a-z-]/.test(token)) throw unusable(`"${token}", a flag that is no leading "(?i)"`)
    if (token.startsWith('(?'))
      throw unusable(`"${token}", a lookaround that is no lookahead right after a leading "^"`)
    if (/^\\(?:[1-9k])/.test(token)) throw unusable(`"${token}", a back reference`)
    if (token === '\\b') return { type: 'boundary' }
    if (token === '\\B') return { type: 'inner' }
    return { type: 'atom', source: token }
  }
}

function boundsOf(token: string): { min: number; max: number } | null {
  if (/^\*\??$/.test(token)) return { min: 0, max: Number.POSITIVE_INFINITY }
  if (/^\+\??$/.test(token)) return { min: 1, max: Number.POSITIVE_INFINITY }
  if (/^\?\??$/.test(token)) return { min: 0, max: 1 }
  const counted = /^\{(\d+)(,?)(\d*)\}\??$/.exec(token)
  if (counted === null) return null
  const [, least = '', comma = '', most = ''] = counted
  const max = most === '' ? Number.POSITIVE_INFINITY : Number(most)
  return { min: Number(least), max: comma === '' ? Number(least) : max }
}

function atStart(part: Part): Part {
  return { type: 'sequence', parts: [{ type: 'start' }, part] }
}

function unusable(what: string): UnusablePattern {
  return new UnusablePattern(`has ${what}, and cannot be tested in time linear in the text`)
}
