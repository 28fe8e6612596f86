import { type Automaton, MATCH, type Step } from './automaton.ts'
import type { Characters } from './characters.ts'

/** The starting point of a simulation. */
export interface Beginning {
  /** In code units of the text. */
  readonly at: number
  /** Steps waiting there; none of them has counted any repetitions yet. */
  readonly waiting: readonly number[]
  readonly afterWord: boolean
}

/** A counted repetition: the positions at which its active runs began, the earliest first. */
class Runs {
  private begun: number[] = []
  private first = 0

  get isEmpty(): boolean {
    return this.first === this.begun.length
  }

  begin(position: number, keepsFirst: boolean): void {
    const last = this.begun.length - 1
    if (!this.isEmpty && (keepsFirst || this.begun[last] === position)) return
    this.begun.push(position)
  }

  /** Ends the runs that are longer than `max` at a position. Returns the length of the longest remaining one. */
  endLonger(position: number, max: number): number {
    while (!this.isEmpty && this.longest(position) > max) this.first++
    if (this.first > 1024 && this.first > this.begun.length / 2) {
      this.begun = this.begun.slice(this.first)
      this.first = 0
    }
    return this.isEmpty ? 0 : this.longest(position)
  }

  private longest(position: number): number {
    // Only called if it is not empty.
    return position - this.begun[this.first]!
  }

  clear(): void {
    this.begun = []
    this.first = 0
  }
}

/**
 * Runs an automaton over the rest of a text, character by character, in time linear in the text: of a counted repetition only the
 * shortest and longest run are considered, whatever its limits.
 */
export function simulate(automaton: Automaton, characters: Characters, text: string, beginning: Beginning): boolean {
  return new Simulation(automaton, characters, beginning).run(text, beginning.at)
}

class Simulation {
  private readonly steps: readonly Step[]
  private readonly entry: number
  private readonly word: number
  private readonly characters: Characters
  private readonly runs: readonly Runs[]
  /** Step -> the position at which it was last reached, plus one. */
  private readonly marks: Uint32Array
  private active: number[] = []
  /** In characters. */
  private position = 0
  private atStart: boolean
  private atEnd = false
  private afterWord: boolean

  constructor(
    { steps, entry, word, counts }: Automaton,
    characters: Characters,
    { at, waiting, afterWord }: Beginning,
  ) {
    this.steps = steps
    this.entry = entry
    this.word = word
    this.characters = characters
    this.runs = Array.from({ length: counts }, () => new Runs())
    this.marks = new Uint32Array(steps.length)
    this.atStart = at === 0
    this.afterWord = afterWord
    for (const id of waiting) this.enter(id)
  }

  run(text: string, from: number): boolean {
    for (let at = from; at < text.length; at++) {
      // It exists, as `at` is before the end.
      const code = text.codePointAt(at)!
      if (code > 0xffff) at++
      // Every result of classOf is a valid index.
      const taken = this.characters.taken[this.characters.classOf(code)]!
      const isWord = this.word !== -1 && taken[this.word] === true
      this.crossBoundaries(isWord)
      if (this.matched()) return true
      this.take(taken)
      this.afterWord = isWord
      if (this.matched()) return true
    }
    this.atEnd = true
    for (const id of this.active) {
      const step = this.stepOf(id)
      if (step.type === 'end') this.enter(step.next)
    }
    this.crossBoundaries(false)
    return this.matched()
  }

  private matched(): boolean {
    return this.marks[MATCH] === this.position + 1
  }

  /** Steps that are added are visited too, since they may begin with a boundary. */
  private crossBoundaries(beforeWord: boolean): void {
    if (this.word === -1) return
    const wanted = this.afterWord === beforeWord ? 'inner' : 'boundary'
    for (const id of this.active) {
      const step = this.stepOf(id)
      if (step.type === wanted) this.enter(step.next)
    }
  }

  private take(taken: readonly boolean[]): void {
    const before = this.active
    this.active = []
    this.position++
    this.atStart = false
    // All active counts are advanced before a new one begins at this position.
    const reached: number[] = []
    for (const id of before) {
      const step = this.stepOf(id)
      if (step.type === 'atom' && taken[step.atom] === true) reached.push(step.next)
      if (step.type !== 'count') continue
      const runs = this.runsOf(step.slot)
      if (taken[step.atom] !== true) {
        runs.clear()
        continue
      }
      const longest = runs.endLonger(this.position, step.max)
      if (longest >= step.min) reached.push(step.next)
      if (longest > 0) this.wait(id)
    }
    for (const id of reached) this.enter(id)
    this.enter(this.entry)
  }

  /** Adds the waiting steps that are reached without consuming a character, each once. */
  private enter(id: number): void {
    const step = this.stepOf(id)
    if (step.type === 'count') {
      this.runsOf(step.slot).begin(this.position, step.max === Number.POSITIVE_INFINITY)
      this.wait(id)
      return
    }
    if (this.marks[id] === this.position + 1) return
    this.marks[id] = this.position + 1
    if (step.type === 'split') for (const next of step.next) this.enter(next)
    else if ((step.type === 'start' && this.atStart) || (step.type === 'end' && this.atEnd)) this.enter(step.next)
    else if (step.type !== 'match' && step.type !== 'start') this.active.push(id)
  }

  private stepOf(id: number): Step {
    // Ids are indexes into the list of steps.
    return this.steps[id]!
  }

  private runsOf(slot: number): Runs {
    // Slots of counting steps are numbered from 0, and there are as many runs.
    return this.runs[slot]!
  }

  private wait(id: number): void {
    if (this.marks[id] === this.position + 1) return
    this.marks[id] = this.position + 1
    this.active.push(id)
  }
}
