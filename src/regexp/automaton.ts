import type { Part } from './conditions.ts'
import { UnusablePattern } from './unusable-pattern.ts'

/**
 * A step of an automaton: consumes one character, consumes `min` to `max` characters, continues without consuming any (at the start
 * or end of the text, at or away from a word boundary, or as a branch to several steps), or is the end of the pattern.
 */
export type Step =
  | { readonly type: 'atom'; readonly atom: number; readonly next: number }
  | {
      readonly type: 'count'
      readonly atom: number
      readonly min: number
      readonly max: number
      /** Index of its counter. */
      readonly slot: number
      readonly next: number
    }
  | { readonly type: 'start' | 'end' | 'boundary' | 'inner'; readonly next: number }
  | { readonly type: 'split'; readonly next: number[] }
  | { readonly type: 'match' }

/** Finds whether a part of an expression matches anywhere in a text; immutable. */
export interface Automaton {
  readonly steps: readonly Step[]
  readonly entry: number
  /** Sources of the single-character matchers, without duplicates. */
  readonly atoms: readonly string[]
  /** The atom that matches word characters, if boundaries are tested; otherwise -1. */
  readonly word: number
  /** Number of steps with a counter. */
  readonly counts: number
}

/** The step at which a pattern has matched. */
export const MATCH = 0

/** A pattern with more steps is refused. */
const MAXIMUM_STEPS = 1_000
/** Longer repetitions of a single character are counted rather than expanded; the smaller limit applies if there are too many steps. */
const WRITTEN_OUT = [256, 8] as const

/** Throws UnusablePattern. */
export function buildAutomaton(part: Part): Automaton {
  const [many, few] = WRITTEN_OUT
  return new Builder(many).build(part) ?? new Builder(few).build(part) ?? tooLarge()
}

function tooLarge(): never {
  throw new UnusablePattern(`has more than ${MAXIMUM_STEPS} steps; expected smaller counts, or minLength and maxLength`)
}

class TooManySteps extends Error {}

class Builder {
  private readonly writtenOut: number
  private readonly steps: Step[] = [{ type: 'match' }]
  private readonly atoms: string[] = []
  private word = -1
  private counts = 0

  constructor(writtenOut: number) {
    this.writtenOut = writtenOut
  }

  /** Null if there are too many steps. */
  build(part: Part): Automaton | null {
    try {
      const entry = this.emit(part, MATCH)
      return { steps: this.steps, entry, atoms: this.atoms, word: this.word, counts: this.counts }
    } catch (error) {
      if (error instanceof TooManySteps) return null
      throw error
    }
  }

  /** Adds the steps of a part that continues at `next`; returns the first of them. */
  private emit(part: Part, next: number): number {
    if (part.type === 'atom') return this.add({ type: 'atom', atom: this.atomOf(part.source), next })
    if (part.type === 'sequence') return part.parts.reduceRight((following, each) => this.emit(each, following), next)
    if (part.type === 'choice')
      return this.add({ type: 'split', next: part.parts.map((each) => this.emit(each, next)) })
    if (part.type === 'repeat') return this.counted(part, next) ?? this.written(part, next)
    if (part.type === 'boundary' || part.type === 'inner') this.word = this.atomOf('\\w')
    return this.add({ type: part.type, next })
  }

  /** Null if the repetition is to be expanded, or is of more than a character. */
  private counted({ part, min, max }: Part & { type: 'repeat' }, next: number): number | null {
    const single = singleOf(part)
    const most = max === Number.POSITIVE_INFINITY ? min : max
    if (single === null || most <= this.writtenOut) return null
    const atom = this.atomOf(single)
    const count = this.add({ type: 'count', atom, min: Math.max(1, min), max, slot: this.counts++, next })
    return min === 0 ? this.add({ type: 'split', next: [count, next] }) : count
  }

  private written({ part, min, max }: Part & { type: 'repeat' }, next: number): number {
    let entry = next
    if (max === Number.POSITIVE_INFINITY) {
      const loop: number[] = [next]
      entry = this.add({ type: 'split', next: loop })
      loop.push(this.emit(part, entry))
    } else {
      for (let i = min; i < max; i++) entry = this.add({ type: 'split', next: [this.emit(part, entry), next] })
    }
    for (let i = 0; i < min; i++) entry = this.emit(part, entry)
    return entry
  }

  private add(step: Step): number {
    if (this.steps.length === MAXIMUM_STEPS) throw new TooManySteps()
    return this.steps.push(step) - 1
  }

  private atomOf(source: string): number {
    const known = this.atoms.indexOf(source)
    return known === -1 ? this.atoms.push(source) - 1 : known
  }
}

/** The atom that a part consists of, possibly within groups. */
function singleOf(part: Part): string | null {
  if (part.type === 'atom') return part.source
  if (part.type !== 'sequence') return null
  const [only, ...others] = part.parts
  return only !== undefined && others.length === 0 ? singleOf(only) : null
}
