import { messageOf } from '../../core/error-facts.ts'
import { type Expression, parseExpression, type Repetition } from '../../regexp/syntax.ts'

/** A path pattern that cannot be used; the message says why and what is allowed. */
export class PathPatternError extends Error {
  override readonly name = 'PathPatternError'
}

/** A set of characters: bit n for the character with code n. Paths are visible ASCII. */
type CharSet = bigint

/** What matters about a part of a pattern for what a matcher may do next. */
interface Reading {
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

const ESCAPE = /^\\[^A-CE-RT-VX-Za-ce-rt-vx-z0-9]$/
const PATH_CHARACTERS = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i))
const NOTHING: Reading = { first: 0n, last: [], empty: true }

/**
 * Compiles a regular expression that matches a whole path in time linear in its length, for any path.
 *
 * Allowed are characters, classes, ".", \d \w \s \D \W \S, escaped punctuation, groups, "|", "*", "+" and "?". At every point the
 * next character alone must determine which part it belongs to: "/([^/]+)/edit" is accepted, "/(.+)/edit" is not, as "/" may be the
 * end of the group or a part of it. Such an expression is strongly one-unambiguous (Brüggemann-Klein, Wood, 1998), so that a
 * backtracking matcher fails at once on all paths but one. Throws PathPatternError.
 */
export function compilePathPattern(text: string): RegExp {
  const written = text.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')
  let expression: RegExp
  try {
    expression = new RegExp(`^(?:${written})$`, 'u')
  } catch (error) {
    throw new PathPatternError(`is not a regular expression: ${messageOf(error)}`)
  }
  readingOf(parseExpression(written))
  return expression
}

/** Checks that each character has only one interpretation. */
function readingOf(part: Expression): Reading {
  if (part.type === 'sequence') return part.parts.reduce((whole, next) => followed(whole, next), NOTHING)
  if (part.type === 'choice') {
    const reading = part.parts.reduce<Reading | null>(
      (whole, other) => (whole === null ? readingOf(other) : either(whole, readingOf(other))),
      null,
    )
    return reading ?? NOTHING
  }
  if (part.type === 'repeat') return repeated(part)
  if (part.type === 'group') return readingOf(part.inner)
  if (part.type === 'look' || part.type === 'flags' || part.type === 'start' || part.type === 'end')
    throw new PathPatternError(
      `has "${part.source.slice(0, 2)}": lookarounds and anchors inside are not allowed; the whole path is matched`,
    )
  return atom(part.source)
}

function either(whole: Reading, other: Reading): Reading {
  if ((whole.first & other.first) !== 0n || (whole.empty && other.empty)) throw ambiguous('two alternatives of "|"')
  return {
    first: whole.first | other.first,
    last: [...whole.last, ...other.last],
    empty: whole.empty || other.empty,
  }
}

function followed(whole: Reading, part: Expression): Reading {
  const next = readingOf(part)
  const between = `what stands before "${beginningOf(part)}" and "${beginningOf(part)}" itself`
  if (whole.empty && (whole.first & next.first) !== 0n) throw ambiguous(between)
  connect(whole.last, next.first, between)
  return {
    first: whole.empty ? whole.first | next.first : whole.first,
    last: next.empty ? [...whole.last, ...next.last] : next.last,
    empty: whole.empty && next.empty,
  }
}

function repeated({ source, inner }: Repetition): Reading {
  const part = readingOf(inner)
  if (source.startsWith('{')) throw new PathPatternError('has "{": write a repetition out, or use "*" or "+"')
  if (source.length > 1) throw new PathPatternError(`has "${source}", which is not needed here`)
  if (part.empty) throw ambiguous(`repetitions of what may be empty, by "${source}",`)
  if (source !== '?') connect(part.last, part.first, `one more repetition by "${source}" and what is repeated`)
  return { ...part, empty: source !== '+' }
}

function atom(source: string): Reading {
  if (source.startsWith('\\') && !ESCAPE.test(source))
    throw new PathPatternError(
      `has "${source.slice(0, 2)}": of the escapes, \\d \\w \\s \\D \\W \\S and punctuation are allowed`,
    )
  const single = new RegExp(`^${source}$`, 'u')
  const first = PATH_CHARACTERS.reduce(
    (set, character) => (single.test(character) ? set | (1n << BigInt(character.charCodeAt(0))) : set),
    0n,
  )
  return { first, last: [{ chars: 0n }], empty: false }
}

/** The beginning of a part, as written. */
function beginningOf(part: Expression): string {
  if (part.type === 'repeat') return beginningOf(part.inner)
  return 'source' in part ? part.source : ''
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
