import { parsePattern, type Part, UnusablePattern } from './pattern-syntax.ts'

/** A step of the automaton: takes a character, leads on without one, or is the end. */
type Node =
  | { readonly type: 'atom'; readonly atom: number; readonly next: number }
  | { readonly type: 'start' | 'end'; readonly next: number }
  | { readonly type: 'split'; readonly next: number[] }
  | { readonly type: 'match' }

/** Where the automaton may be after some characters. */
interface State {
  /** Atoms and ends that it waits at. */
  readonly nodes: readonly number[]
  readonly matched: boolean
  /** Whether it has matched if the text ends here. */
  readonly accepts: boolean
  /** By the class of the next character. */
  readonly next: (State | undefined)[]
}

/** A pattern with more steps, its counted repetitions written out, is refused. */
const MAXIMUM_NODES = 1_000
/**
 * How many states are made, and characters beyond ASCII kept: a client decides how many there would be. To make a state
 * takes far longer than a step without one.
 */
const MAXIMUM_STATES = 1_000
const MAXIMUM_CHARACTERS = 16_384
const MATCH = 0

/**
 * Compiles a regular expression into a test that takes time linear in the length of the text, whatever the text: by an
 * automaton whose states are made when they are first needed. Throws UnusablePattern.
 */
export function compileLinear(pattern: string): (text: string) => boolean {
  const conditions = parsePattern(pattern).map(({ part, negated }) => ({ automaton: new Automaton(part), negated }))
  return (text) => conditions.every(({ automaton, negated }) => automaton.test(text) !== negated)
}

/** Finds whether what a part of an expression describes occurs in a text. */
class Automaton {
  private readonly nodes: Node[] = [{ type: 'match' }]
  private readonly sources: string[] = []
  private readonly atoms: readonly RegExp[]
  private readonly entry: number
  private readonly states = new Map<string, State>()
  private readonly initial: State
  /** Code point -> class; all characters of a class are taken by the same atoms. */
  private readonly ascii = Array<number>(128).fill(-1)
  private readonly others = new Map<number, number>()
  private readonly classes = new Map<string, number>()
  /** Class -> for each atom, whether it takes a character of the class. */
  private readonly taken: (readonly boolean[])[] = []

  constructor(part: Part) {
    this.entry = this.emit(part, MATCH)
    this.atoms = this.sources.map((source) => new RegExp(`^(?:${source})$`, 'u'))
    this.initial = this.stateOf([this.entry], true)
  }

  test(text: string): boolean {
    let state = this.initial
    for (let at = 0; at < text.length; at++) {
      if (state.matched) return true
      if (state.nodes.length === 0) return false
      const code = text.codePointAt(at)!
      const kind = this.classOf(code)
      const next = state.next[kind] ?? this.step(state, kind)
      if (next === null) return this.simulate(text, at, state.nodes)
      state = next
      if (code > 0xffff) at++
    }
    return state.accepts
  }

  /** Tests the rest of a text without making states; not at its beginning. */
  private simulate(text: string, from: number, waiting: readonly number[]): boolean {
    const marks = new Uint32Array(this.nodes.length)
    let nodes = waiting
    for (let at = from; at < text.length; at++) {
      const code = text.codePointAt(at)!
      if (code > 0xffff) at++
      const taken = this.taken[this.classOf(code)]!
      const mark = at + 1
      const next: number[] = []
      for (const id of nodes) {
        const node = this.nodes[id]!
        if (node.type === 'atom' && taken[node.atom] === true) this.enter(node.next, next, marks, mark)
      }
      this.enter(this.entry, next, marks, mark)
      if (marks[MATCH] === mark) return true
      nodes = next
    }
    return this.reach(nodes, false, true).has(MATCH)
  }

  /** Adds the atoms and ends that are reached from a node without a character, each once. */
  private enter(id: number, reached: number[], marks: Uint32Array, mark: number): void {
    if (marks[id] === mark) return
    marks[id] = mark
    const node = this.nodes[id]!
    if (node.type === 'atom' || node.type === 'end') reached.push(id)
    else if (node.type === 'split') for (const next of node.next) this.enter(next, reached, marks, mark)
  }

  /** Adds the nodes of a part that leads to `next`; returns the first of them. */
  private emit(part: Part, next: number): number {
    if (part.type === 'atom') return this.add({ type: 'atom', atom: this.atomOf(part.source), next })
    if (part.type === 'sequence') return part.parts.reduceRight((following, each) => this.emit(each, following), next)
    if (part.type === 'choice')
      return this.add({ type: 'split', next: part.parts.map((each) => this.emit(each, next)) })
    if (part.type !== 'repeat') return this.add({ type: part.type, next })
    let entry = next
    if (part.max === Number.POSITIVE_INFINITY) {
      const loop: number[] = [next]
      entry = this.add({ type: 'split', next: loop })
      loop.push(this.emit(part.part, entry))
    } else {
      for (let i = part.min; i < part.max; i++)
        entry = this.add({ type: 'split', next: [this.emit(part.part, entry), next] })
    }
    for (let i = 0; i < part.min; i++) entry = this.emit(part.part, entry)
    return entry
  }

  private add(node: Node): number {
    if (this.nodes.length === MAXIMUM_NODES)
      throw new UnusablePattern(
        `has more than ${MAXIMUM_NODES} steps; expected smaller counts, or minLength and maxLength`,
      )
    return this.nodes.push(node) - 1
  }

  private atomOf(source: string): number {
    const known = this.sources.indexOf(source)
    return known === -1 ? this.sources.push(source) - 1 : known
  }

  /** Null where no more states are made. */
  private step(state: State, kind: number): State | null {
    if (this.states.size === MAXIMUM_STATES) return null
    const taken = this.taken[kind]!
    const entered = state.nodes.flatMap((id) => {
      const node = this.nodes[id]!
      return node.type === 'atom' && taken[node.atom] === true ? [node.next] : []
    })
    // The match may also begin here.
    const next = this.stateOf([...entered, this.entry], false)
    state.next[kind] = next
    return next
  }

  private stateOf(entered: readonly number[], atStart: boolean): State {
    const reached = this.reach(entered, atStart, false)
    const nodes = [...reached].filter((id) => this.nodes[id]!.type === 'atom' || this.nodes[id]!.type === 'end')
    const matched = reached.has(MATCH)
    const key = `${atStart}${matched}${nodes.toSorted((a, b) => a - b).join()}`
    const known = this.states.get(key)
    if (known !== undefined) return known
    const accepts = matched || this.reach(nodes, atStart, true).has(MATCH)
    const state: State = { nodes, matched, accepts, next: [] }
    this.states.set(key, state)
    return state
  }

  /** Every node that is reached without a character. */
  private reach(from: readonly number[], atStart: boolean, atEnd: boolean): Set<number> {
    // What is added while the set is walked through is walked through too.
    const reached = new Set(from)
    for (const id of reached) {
      const node = this.nodes[id]!
      if (node.type === 'split') for (const next of node.next) reached.add(next)
      else if ((node.type === 'start' && atStart) || (node.type === 'end' && atEnd)) reached.add(node.next)
    }
    return reached
  }

  private classOf(code: number): number {
    const known = code < 128 ? this.ascii[code]! : (this.others.get(code) ?? -1)
    if (known !== -1) return known
    const character = String.fromCodePoint(code)
    const taken = this.atoms.map((atom) => atom.test(character))
    const key = taken.map(Number).join('')
    const kind = this.classes.get(key) ?? this.taken.push(taken) - 1
    this.classes.set(key, kind)
    if (this.others.size === MAXIMUM_CHARACTERS) this.others.clear()
    if (code < 128) this.ascii[code] = kind
    else this.others.set(code, kind)
    return kind
  }
}
