import { strictForm } from './dialect.ts'
import { type Expression, parseExpression } from './syntax.ts'
import { UnusablePattern } from './unusable-pattern.ts'

/** A part of a regular expression that an automaton can match. */
export type Part =
  | { readonly type: 'atom'; readonly source: string }
  | { readonly type: 'start' | 'end' | 'boundary' | 'inner' }
  | { readonly type: 'sequence' | 'choice'; readonly parts: readonly Part[] }
  | { readonly type: 'repeat'; readonly part: Part; readonly min: number; readonly max: number }

/** A condition on the text: a part that must, or must not, occur in it. All conditions of a pattern must hold. */
export interface Condition {
  readonly part: Part
  readonly negated: boolean
}

/** The conditions of a regular expression on a text. */
export interface Pattern {
  readonly conditions: readonly Condition[]
  readonly ignoresCase: boolean
}

/**
 * Converts a regular expression (ECMA-262, with the flag u, as in JSON Schema, or what `strictForm` can convert to one) to
 * conditions on the text. Lookaheads are supported directly after a leading "^", where they become additional conditions. Throws
 * UnusablePattern for other lookarounds and back references, which no automaton can match.
 */
export function parsePattern(text: string): Pattern {
  const { source, ignoresCase } = strictForm(text)
  return { conditions: conditionsOf(parseExpression(source)), ignoresCase }
}

function conditionsOf(whole: Expression): readonly Condition[] {
  const [first, ...others] = whole.type === 'choice' ? whole.parts : [whole]
  const { looks, rest } = leadingLookaheads(first)
  if (looks.length === 0) return [{ part: partOf(whole), negated: false }]
  const conditions = looks.map(({ source, inner }) => ({ part: atStart(partOf(inner)), negated: source === '(?!' }))
  conditions.push({ part: atStart(partOf({ type: 'sequence', parts: rest })), negated: false })
  if (others.map(partOf).length === 0) return conditions
  throw unusable('a lookahead beside "|", without a group around the alternatives')
}

type Look = Extract<Expression, { readonly type: 'look' }>

/** The lookaheads directly after "^", and the rest. */
function leadingLookaheads(expression: Expression | undefined): { looks: Look[]; rest: readonly Expression[] } {
  const parts = expression?.type === 'sequence' ? expression.parts : []
  const looks: Look[] = []
  if (parts[0]?.type !== 'start') return { looks, rest: parts }
  for (const part of parts.slice(1)) {
    if (part.type !== 'look' || (part.source !== '(?=' && part.source !== '(?!')) break
    looks.push(part)
  }
  return { looks, rest: parts.slice(1 + looks.length) }
}

function partOf(expression: Expression): Part {
  const { type } = expression
  if (type === 'group') return partOf(expression.inner)
  if (type === 'sequence' || type === 'choice') return { type, parts: expression.parts.map(partOf) }
  if (type === 'repeat') return { type, part: partOf(expression.inner), min: expression.min, max: expression.max }
  const { source } = expression
  if (type === 'atom') return { type, source }
  if (type === 'flags') throw unusable(`"${source}", a flag other than a leading "(?i)"`)
  if (type === 'look') throw unusable(`"${source}", a lookaround other than a lookahead right after a leading "^"`)
  if (type === 'reference') throw unusable(`"${source}", a back reference`)
  return { type }
}

function atStart(part: Part): Part {
  return { type: 'sequence', parts: [{ type: 'start' }, part] }
}

function unusable(what: string): UnusablePattern {
  return new UnusablePattern(`has ${what}, and cannot be tested in time linear in the text`)
}
