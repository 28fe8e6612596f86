import { type Automaton, buildAutomaton, MATCH, type Step } from './automaton.ts'
import { Characters } from './characters.ts'
import { type Condition, type Part, parsePattern, type Pattern } from './conditions.ts'
import { simulate } from './simulation.ts'
import { UnusablePattern } from './unusable-pattern.ts'

/** The possible positions of the automaton after some characters. */
interface State {
  /** Steps waiting for a character. */
  readonly waiting: readonly number[]
  readonly atStart: boolean
  /** Whether the last character is a word character; false if boundaries are not tested. */
  readonly afterWord: boolean
  readonly matched: boolean
  /** Whether it has matched if the text ends here. */
  readonly accepts: boolean
  /** By the class of the next character. */
  readonly next: (State | undefined)[]
}

/** What is true at a position in the text; null if it is not known yet. */
interface Place {
  readonly start: boolean
  readonly end: boolean
  readonly boundary: boolean | null
}

/**
 * Most states that are created: clients choose the texts that lead to them. Creating a state takes far longer than a step of the
 * simulation without states.
 */
const MAXIMUM_STATES = 1_000

/**
 * Compiles a regular expression into a test that takes time linear in the length of the text, for any text, by an automaton whose
 * states are created on demand. Throws UnusablePattern.
 */
export function compileLinear(pattern: string): (text: string) => boolean {
  return testOf(parsePattern(pattern))
}

function testOf({ conditions, ignoresCase }: Pattern): (text: string) => boolean {
  const matchers = conditions.map(({ part, negated }) => ({ matcher: new Matcher(part, ignoresCase), negated }))
  return (text) => matchers.every(({ matcher, negated }) => matcher.test(text) !== negated)
}

/** The same for a pattern that has to match the whole text, as if it were between "^" and "$". Throws UnusablePattern. */
export function compileWhole(pattern: string): (text: string) => boolean {
  return testOf(wholePattern(pattern))
}

/**
 * Whether a text that begins with `beginning` may be matched by the whole pattern: false only if that is impossible. Throws
 * UnusablePattern.
 */
export function mayBegin(pattern: string, beginning: string): boolean {
  const { conditions, ignoresCase } = wholePattern(pattern)
  return conditions.every(({ part, negated }) => negated || new Matcher(part, ignoresCase).goesOn(beginning))
}

function wholePattern(text: string): Pattern {
  const { conditions, ignoresCase } = parsePattern(text)
  const last = conditions.length - 1
  // The conditions before the last one are lookaheads at the beginning.
  const whole = conditions.map(({ part, negated }, i): Condition => {
    if (i < last) return { part, negated }
    return { part: { type: 'sequence', parts: [{ type: 'start' }, part, { type: 'end' }] }, negated }
  })
  return { conditions: whole, ignoresCase }
}

/** Why a pattern cannot be compiled; null if it can. */
export function refusalOfPattern(pattern: string): string | null {
  try {
    for (const { part } of parsePattern(pattern).conditions) buildAutomaton(part)
    return null
  } catch (error) {
    if (error instanceof UnusablePattern) return error.message
    throw error
  }
}

/** Finds whether a part of an expression matches anywhere in a text. */
class Matcher {
  private readonly automaton: Automaton
  private readonly characters: Characters
  private readonly states = new Map<string, State>()
  private readonly initial: State

  constructor(part: Part, ignoresCase: boolean) {
    this.automaton = buildAutomaton(part)
    this.characters = new Characters(this.automaton.atoms, ignoresCase)
    this.initial = this.stateOf([this.automaton.entry], true, false)
  }

  test(text: string): boolean {
    // Counters are not part of states, as there would be too many states.
    if (this.automaton.counts > 0) return this.simulate(text, 0, [this.automaton.entry], false)
    let state = this.initial
    for (let at = 0; at < text.length; at++) {
      if (state.matched) return true
      if (state.waiting.length === 0) return false
      // It exists, as `at` is before the end.
      const code = text.codePointAt(at)!
      const kind = this.characters.classOf(code)
      const next = state.next[kind] ?? this.step(state, kind)
      if (next === null) return this.simulate(text, at, state.waiting, state.afterWord)
      state = next
      if (code > 0xffff) at++
    }
    return state.accepts
  }

  /**
   * Whether a match is still possible after the text, or has already been found; also true if it would take too many states to
   * decide.
   */
  goesOn(text: string): boolean {
    if (this.automaton.counts > 0) return true
    let state: State | null = this.initial
    for (const character of text) {
      if (state.matched) return true
      // A character has at least one code point.
      const kind = this.characters.classOf(character.codePointAt(0)!)
      state = state.next[kind] ?? this.step(state, kind)
      if (state === null) return true
    }
    return state.matched || state.waiting.length > 0
  }

  private simulate(text: string, at: number, waiting: readonly number[], afterWord: boolean): boolean {
    return simulate(this.automaton, this.characters, text, { at, waiting, afterWord })
  }

  /** Null if no more states may be created. */
  private step(state: State, kind: number): State | null {
    if (this.states.size === MAXIMUM_STATES) return null
    const { word, entry } = this.automaton
    // Every result of classOf is a valid index.
    const taken = this.characters.taken[kind]!
    const isWord = word !== -1 && taken[word] === true
    const ready =
      word === -1
        ? state.waiting
        : [...this.reach(state.waiting, { start: state.atStart, end: false, boundary: isWord !== state.afterWord })]
    const entered = ready.flatMap((id) => {
      const step = this.stepOf(id)
      return step.type === 'atom' && taken[step.atom] === true ? [step.next] : []
    })
    // The match may also begin here, or have ended before this character.
    const next = this.stateOf([...entered, ready.includes(MATCH) ? MATCH : entry], false, isWord)
    state.next[kind] = next
    return next
  }

  private stateOf(entered: readonly number[], atStart: boolean, afterWord: boolean): State {
    const reached = this.reach(entered, { start: atStart, end: false, boundary: null })
    const waiting = [...reached].filter((id) => !['split', 'start', 'match'].includes(this.stepOf(id).type))
    const matched = reached.has(MATCH)
    const key = `${atStart}${matched}${afterWord}${waiting.toSorted((a, b) => a - b).join()}`
    const known = this.states.get(key)
    if (known !== undefined) return known
    const accepts = matched || this.reach(waiting, { start: atStart, end: true, boundary: afterWord }).has(MATCH)
    const state: State = { waiting, atStart, afterWord, matched, accepts, next: [] }
    this.states.set(key, state)
    return state
  }

  private stepOf(id: number): Step {
    // Ids are indexes into the list of steps.
    return this.automaton.steps[id]!
  }

  /** All steps that are reached without consuming a character. */
  private reach(from: readonly number[], place: Place): Set<number> {
    // Items added during iteration are visited too.
    const reached = new Set(from)
    for (const id of reached) {
      const step = this.stepOf(id)
      if (step.type === 'split') for (const next of step.next) reached.add(next)
      else if (step.type === 'start' || step.type === 'end') {
        if (place[step.type]) reached.add(step.next)
      } else if (step.type === 'boundary' || step.type === 'inner') {
        if (place.boundary === (step.type === 'boundary')) reached.add(step.next)
      }
    }
    return reached
  }
}
