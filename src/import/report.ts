import type { SourcePosition } from '../config/problems.ts'
import { shownText } from './variables.ts'

/** How faithfully something was imported, from best to worst. */
export const fidelities = ['exact', 'narrower', 'different', 'left out'] as const

/** Exact; accepts less than before; behaves differently; missing. */
export type Fidelity = (typeof fidelities)[number]

/** The result for one entity of the source. */
export class Entry {
  readonly kind: string
  readonly name: string
  readonly position: SourcePosition
  private worst: Fidelity = 'exact'
  private readonly recorded: string[] = []

  constructor(kind: string, name: string, position: SourcePosition) {
    this.kind = kind
    this.name = name
    this.position = position
  }

  get fidelity(): Fidelity {
    return this.worst
  }

  /** Notes and advice, in the order in which they were found. */
  get notes(): readonly string[] {
    return this.recorded
  }

  /** Adds a note; the fidelity becomes at most that. */
  tell(fidelity: Fidelity, note: string): void {
    if (fidelities.indexOf(fidelity) > fidelities.indexOf(this.worst)) this.worst = fidelity
    const text = printable(note)
    if (!this.recorded.includes(text)) this.recorded.push(text)
  }
}

/** An environment variable that the configuration refers to. */
export interface ImportVariable {
  readonly name: string
  /** A description of its value. */
  readonly what: string
  readonly position: SourcePosition
}

/** The result for everything in a source. */
export interface Report {
  readonly source: string
  readonly entries: readonly Entry[]
  readonly variables: readonly ImportVariable[]
  /** Notes on the whole. */
  readonly notes: readonly string[]
}

/** A report as text: one line for each entity, with its notes below. */
export function reportText({ source, entries, variables, notes }: Report): string {
  const kinds = Math.max(0, ...entries.map(({ kind }) => kind.length))
  const rows = entries.flatMap(({ kind, name, position, fidelity, notes: entryNotes }) => [
    `${source}:${position.line}:${position.column}: ${fidelity.padEnd(9)} ${kind.padEnd(kinds)} ${name}`.trimEnd(),
    ...entryNotes.map((note) => `    ${note}`),
  ])
  const variableLines = variables.map(({ name, what, position }) => `  ${name}: ${what} (line ${position.line})`)
  return [
    ...rows,
    ...(notes.length === 0 ? [] : ['', ...notes]),
    ...(variableLines.length === 0 ? [] : ['', 'Set these variables before you start the gateway:', ...variableLines]),
    '',
    totals(entries),
  ].join('\n')
}

/** A report in the machine-readable form that docs/from-kong.md documents. */
export function reportDocument({ source, entries, variables, notes }: Report) {
  const count = (fidelity: Fidelity): number => entries.filter((entry) => entry.fidelity === fidelity).length
  return {
    source,
    summary: Object.fromEntries(fidelities.map((fidelity) => [fidelity, count(fidelity)])),
    notes,
    variables: variables.map(({ name, what, position }) => ({
      name,
      what,
      line: position.line,
      column: position.column,
    })),
    entities: entries.map(({ kind, name, position, fidelity, notes: entryNotes }) => ({
      kind,
      name,
      line: position.line,
      column: position.column,
      fidelity,
      notes: entryNotes,
    })),
  }
}

/** Whether something was left out. */
export function leavesOut({ entries }: Report): boolean {
  return entries.some(({ fidelity }) => fidelity === 'left out')
}

function totals(entries: readonly Entry[]): string {
  const counts = fidelities.flatMap((fidelity) => {
    const count = entries.filter((entry) => entry.fidelity === fidelity).length
    return count === 0 ? [] : [`${count} ${fidelity}`]
  })
  const entities = entries.length === 1 ? '1 entity' : `${entries.length} entities`
  return counts.length === 0 ? 'Nothing to import.' : `${entities}: ${counts.join(', ')}.`
}

/** One line without control characters: a source may contain anything. */
function printable(text: string): string {
  return shownText(text).replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}
