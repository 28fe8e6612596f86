import type { Position } from '../config/problems.ts'
import { shownText } from './variables.ts'

/** How well what was imported stands for what it was made of, from the best to the worst. */
export const fidelities = ['exact', 'narrower', 'different', 'left out'] as const

/** Exact; taking less than before; otherwise; not there. */
export type Fidelity = (typeof fidelities)[number]

/** What became of one entity of the source. */
export class Entry {
  readonly kind: string
  readonly name: string
  readonly position: Position
  private worst: Fidelity = 'exact'
  private readonly told: string[] = []

  constructor(kind: string, name: string, position: Position) {
    this.kind = kind
    this.name = name
    this.position = position
  }

  get fidelity(): Fidelity {
    return this.worst
  }

  /** What to know of it, and what to do, in the order in which it was found. */
  get notes(): readonly string[] {
    return this.told
  }

  /** Says something of it that is no better than that. */
  tell(fidelity: Fidelity, note: string): void {
    if (fidelities.indexOf(fidelity) > fidelities.indexOf(this.worst)) this.worst = fidelity
    const text = printable(note)
    if (!this.told.includes(text)) this.told.push(text)
  }
}

/** A variable of the environment that the configuration asks for. */
export interface ImportVariable {
  readonly name: string
  /** What it is to hold. */
  readonly what: string
  readonly position: Position
}

/** What became of everything in a source. */
export interface Report {
  readonly source: string
  readonly entries: readonly Entry[]
  readonly variables: readonly ImportVariable[]
  /** What is to be known of the whole. */
  readonly notes: readonly string[]
}

/** A report as text: every entity on a line of its own, and below it what to know of it. */
export function reportText({ source, entries, variables, notes }: Report): string {
  const kinds = Math.max(0, ...entries.map(({ kind }) => kind.length))
  const rows = entries.flatMap(({ kind, name, position, fidelity, notes: told }) => [
    `${source}:${position.line}:${position.column}: ${fidelity.padEnd(9)} ${kind.padEnd(kinds)} ${name}`.trimEnd(),
    ...told.map((note) => `    ${note}`),
  ])
  const asked = variables.map(({ name, what, position }) => `  ${name}: ${what} (line ${position.line})`)
  return [
    ...rows,
    ...(notes.length === 0 ? [] : ['', ...notes]),
    ...(asked.length === 0 ? [] : ['', 'Set these variables before you start the gateway:', ...asked]),
    '',
    totals(entries),
  ].join('\n')
}

/** A report for programs, in the form that docs/from-kong.md promises. */
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
    entities: entries.map(({ kind, name, position, fidelity, notes: told }) => ({
      kind,
      name,
      line: position.line,
      column: position.column,
      fidelity,
      notes: told,
    })),
  }
}

/** Whether something is not there any more. */
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

/** One line without control characters: a source may hold anything. */
function printable(text: string): string {
  return shownText(text).replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}
