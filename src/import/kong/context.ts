import type { Fields } from '../../core/value.ts'
import type { Comments } from '../commented.ts'
import type { Entry, ImportVariable } from '../report.ts'
import { mark, variableName } from '../variables.ts'
import type { Entities } from './entities.ts'

/** State shared by all parts of an import. */
export interface Context {
  readonly entities: Entities
  readonly comments: Comments
  readonly variables: Variables
  /** Whether plain paths may be regular expressions, as before format 3.0. */
  readonly guessesRegex: boolean
  /** Stores that the configuration needs. */
  readonly stores: { redis?: Fields }
}

/** The variables that the configuration refers to. */
export class Variables {
  private readonly all = new Map<string, ImportVariable>()

  /** A reference to a new variable for a value that must not be in the configuration. */
  secret(wanted: string, what: string, entry: Entry): string {
    const base = variableName(wanted)
    let name = base
    for (let i = 2; this.all.has(name); i++) name = `${base}_${i}`
    this.all.set(name, { name, what, position: entry.position })
    return mark(name)
  }

  /** The variable of that name, which may have been requested before; a new one if the name is null. */
  ask(known: string | null, wanted: string, what: string, entry: Entry): string {
    if (known === null) return this.secret(wanted, what, entry)
    this.note(known, what, entry)
    return mark(known)
  }

  /** Records a variable that the source itself refers to. */
  note(name: string, what: string, entry?: Entry): void {
    if (!this.all.has(name)) this.all.set(name, { name, what, position: entry?.position ?? { line: 1, column: 1 } })
  }

  get list(): readonly ImportVariable[] {
    return [...this.all.values()]
  }
}
