/**
 * A part of a regular expression. `source` is its text; for a part that contains others, the text of its beginning; for a
 * repetition, the quantifier. "boundary" is a word boundary, and "inner" any other position.
 */
export type Expression =
  | Each<'atom' | 'start' | 'end' | 'boundary' | 'inner' | 'reference', { readonly source: string }>
  | Each<'group' | 'look' | 'flags', { readonly source: string; readonly inner: Expression }>
  | Each<'sequence' | 'choice', { readonly parts: readonly Expression[] }>
  | Repetition

type Each<Type extends string, Parts> = { readonly [T in Type]: Parts & { readonly type: T } }[Type]

/** A part repeated `min` to `max` times. */
export interface Repetition {
  readonly type: 'repeat'
  readonly source: string
  readonly inner: Expression
  readonly min: number
  readonly max: number
}

/** A class, an escape, the beginning of a group, a quantifier, or any other character. */
const TOKEN =
  /\[\^?(?:\\.|[^\]\\])*\]|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u\{[\da-fA-F]+\}|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\c[A-Za-z]|\\[pP]\{[^}]*\}|\\k<[^>]*>|\\\d+|\\.|\(\?<[^=!>]+>|\(\?<?[=!]|\(\?[^)]?|\{\d+(?:,\d*)?\}\??|[*+?]\??|./gsu

const SINGLE = { '^': 'start', $: 'end', '\\b': 'boundary', '\\B': 'inner' } as const

/** Parses a text that is known to be a regular expression of ECMA-262 with the flag u. */
export function parseExpression(source: string): Expression {
  return new Parser(source.match(TOKEN) ?? []).alternatives()
}

class Parser {
  private readonly tokens: readonly string[]
  private at = 0

  constructor(tokens: readonly string[]) {
    this.tokens = tokens
  }

  /** A sequence, or a choice between several. */
  alternatives(): Expression {
    const parts = [this.sequence()]
    while (this.tokens[this.at] === '|') {
      this.at++
      parts.push(this.sequence())
    }
    const [first] = parts
    return first !== undefined && parts.length === 1 ? first : { type: 'choice', parts }
  }

  private sequence(): Expression {
    const parts: Expression[] = []
    while (this.at < this.tokens.length && this.tokens[this.at] !== '|' && this.tokens[this.at] !== ')')
      parts.push(this.repeated())
    return { type: 'sequence', parts }
  }

  private repeated(): Expression {
    const inner = this.single()
    const source = this.tokens[this.at] ?? ''
    const bounds = boundsOf(source)
    if (bounds === null) return inner
    this.at++
    return { type: 'repeat', source, inner, ...bounds }
  }

  private single(): Expression {
    const source = this.tokens[this.at++] ?? ''
    if (source.startsWith('(')) {
      const inner = this.alternatives()
      this.at++
      return { type: kindOfGroup(source), source, inner }
    }
    if (source === '^' || source === '$' || source === '\\b' || source === '\\B')
      return { type: SINGLE[source], source }
    return { type: /^\\[1-9k]/.test(source) ? 'reference' : 'atom', source }
  }
}

function kindOfGroup(source: string): 'group' | 'look' | 'flags' {
  if (source === '(' || source === '(?:' || /^\(\?<[^=!]/.test(source)) return 'group'
  return /^\(\?[a-z-]/.test(source) ? 'flags' : 'look'
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
