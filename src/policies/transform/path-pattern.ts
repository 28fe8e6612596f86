/** A pattern for paths that cannot be used; the message says why and what is allowed. */
export class PathPatternError extends Error {
  override readonly name = 'PathPatternError'
}

/** Characters as a set: bit n for the character with code n. Paths are visible ASCII. */
type CharSet = bigint

/** A part of a pattern, as far as it decides what a matcher may do next. */
interface Part {
  /** Characters that it can begin with. */
  readonly first: CharSet
  /** For each atom that it can end with, what may follow that atom so far. */
  readonly last: readonly Follow[]
  /** Whether it matches the empty text. */
  readonly empty: boolean
}

interface Follow {
  chars: CharSet
}

/** A class, an escape, the beginning of a group, or any other character. */
const TOKEN = /\[\^?(?:\\.|[^\]\\])+\]|\\.|\(\?<[A-Za-z]\w*>|\(\?:|\(\?|./gsu
const ESCAPE = /^\\[^A-CE-RT-VX-Za-ce-rt-vx-z0-9]$/
const PATH_CHARACTERS = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i))
const NOTHING: Part = { first: 0n, last: [], empty: true }

/**
 * Compiles a regular expression that matches a whole path in time linear in its length, whatever the path.
 *
 * Allowed are characters, classes, ".", \d \w \s \D \W \S, escaped punctuation, groups, "|", "*", "+" and "?". At every
 * point the next character must decide alone what it belongs to: "/([^/]+)/edit" is taken, "/(.+)/edit" is not, as
 * "/" may be the end of the group or a part of it. Such an expression is strongly one-unambiguous (Brüggemann-Klein,
 * Wood, 1998), so that a matcher which backtracks fails at once on every way but one. Throws PathPatternError.
 */
export function compilePathPattern(text: string): RegExp {
  const written = text.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')
  let expression: RegExp
  try {
    expression = new RegExp(`^(?:${written})$`, 'u')
  } catch (error) {
    throw new PathPatternError(`is no regular expression: ${error instanceof Error ? error.message : String(error)}`)
  }
  new Parser(written.match(TOKEN) ?? []).parse()
  return expression
}

/** Reads a pattern that is known to be a regular expression, and checks that each character has one reading. */
class Parser {
  private readonly tokens: readonly string[]
  private at = 0

  constructor(tokens: readonly string[]) {
    this.tokens = tokens
  }

  parse(): void {
    this.alternatives()
  }

  private alternatives(): Part {
    let whole = this.sequence()
    while (this.take('|')) {
      const other = this.sequence()
      if ((whole.first & other.first) !== 0n || (whole.empty && other.empty)) throw ambiguous('two alternatives of "|"')
      whole = {
        first: whole.first | other.first,
        last: [...whole.last, ...other.last],
        empty: whole.empty || other.empty,
      }
    }
    return whole
  }

  private sequence(): Part {
    let whole = NOTHING
    for (let token = this.tokens[this.at]; token !== undefined && token !== '|' && token !== ')';) {
      const next = this.repeated()
      if (whole.empty && (whole.first & next.first) !== 0n)
        throw ambiguous(`what stands before "${token}" and "${token}" itself`)
      connect(whole.last, next.first, `what stands before "${token}" and "${token}" itself`)
      whole = {
        first: whole.empty ? whole.first | next.first : whole.first,
        last: next.empty ? [...whole.last, ...next.last] : next.last,
        empty: whole.empty && next.empty,
      }
      token = this.tokens[this.at]
    }
    return whole
  }

  private repeated(): Part {
    const part = this.atom()
    const sign = this.tokens[this.at] ?? ''
    if (sign === '{') throw new PathPatternError('has "{": write a repetition out, or use "*" or "+"')
    if (sign === '' || !'*+?'.includes(sign)) return part
    this.at++
    const following = this.tokens[this.at] ?? ''
    if (following !== '' && '*+?'.includes(following))
      throw new PathPatternError(`has "${sign}${following}", which is not needed here`)
    if (part.empty) throw ambiguous(`repetitions of what may be empty, by "${sign}",`)
    if (sign !== '?') connect(part.last, part.first, `one more repetition by "${sign}" and what is repeated`)
    return { ...part, empty: sign !== '+' }
  }

  private atom(): Part {
    const token = this.tokens[this.at++] ?? ''
    if (token === '(' || token === '(?:' || token.startsWith('(?<')) {
      const inner = this.alternatives()
      this.at++
      return inner
    }
    if (token === '(?' || token === '^' || token === '$')
      throw new PathPatternError(
        `has "${token}": lookarounds and anchors inside are not allowed; the whole path is matched`,
      )
    if (token.startsWith('\\') && !ESCAPE.test(token))
      throw new PathPatternError(`has "${token}": of the escapes, \\d \\w \\s \\D \\W \\S and punctuation are allowed`)
    const single = new RegExp(`^${token}$`, 'u')
    const first = PATH_CHARACTERS.reduce(
      (set, character) => (single.test(character) ? set | (1n << BigInt(character.charCodeAt(0))) : set),
      0n,
    )
    return { first, last: [{ chars: 0n }], empty: false }
  }

  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false
    this.at++
    return true
  }
}

function connect(last: readonly Follow[], first: CharSet, what: string): void {
  for (const follow of last) {
    if ((follow.chars & first) !== 0n) throw ambiguous(what)
    follow.chars |= first
  }
}

function ambiguous(what: string): PathPatternError {
  return new PathPatternError(
    `is ambiguous: ${what} can begin with the same character, and trying all ways takes too long for some paths; ` +
      'expected classes that leave out what follows, such as "[^/]+" before "/"',
  )
}
