import { type Automaton, MATCH, type Step } from './automaton.ts'
import type { Characters } from './characters.ts'

/** Where a simulation begins. */
export interface Beginning {
  /** In code units of the text. */
  readonly at: number
  /** Steps that wait there, and that none of them counts yet but for beginning to. */
  readonly waiting: readonly number[]
  readonly afterWord: boolean
}

/** A repetition that counts: where its runs that still go on began, the first one first. */
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

  /** Ends those that are longer than `max` at a position; the length of the longest that is left. */
  endLonger(position: number, max: number): number {
    while (!this.isEmpty && this.longest(position) > max) this.first++
    if (this.first > 1024 && this.first > this.begun.length / 2) {
      this.begun = this.begun.slice(this.first)
      this.first = 0
    }
    return this.isEmpty ? 0 : this.longest(position)
  }

  private longest(position: number): number {
    // Asked only where it is not empty.
    return position - this.begun[this.first]!
  }

  clear(): void {
    this.begun = []
    this.first = 0
  }
}

/**
 * Follows an automaton through the rest of a text, one character after the other, in time linear in the text: of a
 * repetition that counts, however often, only its shortest and longest run are looked at.
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
  /** Step -> the position that it was last reached at, plus one. */
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
      // There is one, as `at` is before the end.
      const code = text.codePointAt(at)!
      if (code > 0xffff) at++
      // Whatever classOf gives has its place.
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

  /** What is entered is looked at too, since it may begin with a boundary. */
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
    // All that counts goes on before anything begins to count at the new position.
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

  /** Adds the steps that wait for something and are reached without a character, each once. */
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
    // Ids are places in the list of steps.
    return this.steps[id]!
  }

  private runsOf(slot: number): Runs {
    // Steps that count have slots from 0 on, and there are as many runs.
    return this.runs[slot]!
  }

  private wait(id: number): void {
    if (this.marks[id] === this.position + 1) return
    this.marks[id] = this.position + 1
    this.active.push(id)
  }
}
