import type { Part } from './conditions.ts'
import { UnusablePattern } from './unusable-pattern.ts'

/**
 * A step of an automaton: takes a character, takes `min` to `max` of them, leads on without one (at the start or the end
 * of the text, at a boundary of a word or away from one, or anywhere to several steps), or is the end of the pattern.
 */
export type Step =
  | { readonly type: 'atom'; readonly atom: number; readonly next: number }
  | {
      readonly type: 'count'
      readonly atom: number
      readonly min: number
      readonly max: number
      /** Which of the counts it is. */
      readonly slot: number
      readonly next: number
    }
  | { readonly type: 'start' | 'end' | 'boundary' | 'inner'; readonly next: number }
  | { readonly type: 'split'; readonly next: number[] }
  | { readonly type: 'match' }

/** Finds whether what a part of an expression describes occurs in a text; immutable. */
export interface Automaton {
  readonly steps: readonly Step[]
  readonly entry: number
  /** Source texts of what takes one character, each once. */
  readonly atoms: readonly string[]
  /** The atom that takes the characters of words, where boundaries are looked for; else -1. */
  readonly word: number
  /** How many steps count. */
  readonly counts: number
}

/** The step at which a pattern has matched. */
export const MATCH = 0

/** A pattern with more steps is refused. */
const MAXIMUM_STEPS = 1_000
/** Repetitions of a single character beyond this are counted rather than written out; fewer where steps get short. */
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

  /** Null where it has too many steps. */
  build(part: Part): Automaton | null {
    try {
      const entry = this.emit(part, MATCH)
      return { steps: this.steps, entry, atoms: this.atoms, word: this.word, counts: this.counts }
    } catch (error) {
      if (error instanceof TooManySteps) return null
      throw error
    }
  }

  /** Adds the steps of a part that leads to `next`; returns the first of them. */
  private emit(part: Part, next: number): number {
    if (part.type === 'atom') return this.add({ type: 'atom', atom: this.atomOf(part.source), next })
    if (part.type === 'sequence') return part.parts.reduceRight((following, each) => this.emit(each, following), next)
    if (part.type === 'choice')
      return this.add({ type: 'split', next: part.parts.map((each) => this.emit(each, next)) })
    if (part.type === 'repeat') return this.counted(part, next) ?? this.written(part, next)
    if (part.type === 'boundary' || part.type === 'inner') this.word = this.atomOf('\\w')
    return this.add({ type: part.type, next })
  }

  /** Null where the repetition is better written out, or is of more than a character. */
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

/** The atom that a part consists of, also within groups. */
function singleOf(part: Part): string | null {
  if (part.type === 'atom') return part.source
  if (part.type !== 'sequence') return null
  const [only, ...others] = part.parts
  return only !== undefined && others.length === 0 ? singleOf(only) : null
}
