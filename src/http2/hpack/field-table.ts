import { namesWithClaim, type FieldNames } from '../../http/field-names.ts'
import type { FieldLimits } from '../../http/limits.ts'
import { type Field, fieldOf, isValue, nameOf } from './field.ts'
import { staticTable } from './static-table.ts'

/** The smallest size of an entry in bytes. */
const MIN_SIZE = 32

/** How field names are classified on a listener. */
export interface Naming {
  readonly names: FieldNames
  /** Names with characters other than letters, digits and hyphens are removed. */
  readonly strict: boolean
}

/** The naming for a listener with those options. */
export function namingOf({ clientHeader = null, strictNames = false }: FieldLimits): Naming {
  return { names: namesWithClaim(clientHeader).request, strict: strictNames }
}

/**
 * The static and the dynamic table for one direction of a connection (RFC 7541 section 2.3): the latest entry comes
 * first.
 */
export class FieldTable {
  private readonly capacity: number
  private most: number
  private fixed: readonly Field[]
  /** A ring buffer: the latest entry is at `latest`. */
  private readonly entries: (Field | undefined)[] = []
  private latest = 0
  private count = 0
  private size = 0

  /**
   * `capacity` is the maximum size of the dynamic table in bytes, as announced to the encoder, which may choose a
   * smaller one.
   */
  constructor(naming: Naming, capacity: number) {
    this.fixed = staticFields(naming)
    this.capacity = capacity
    this.most = capacity
  }

  /** The entry of that index, starting from 1; undefined where there is none. */
  at(index: number): Field | undefined {
    const { fixed, entries, count } = this
    if (index <= fixed.length) return fixed[index - 1]
    const back = index - fixed.length - 1
    return back < count ? entries[(this.latest - back + entries.length) % entries.length] : undefined
  }

  /** Adds an entry, evicting older ones for it; all of them where it is larger than the table (section 4.4). */
  add(field: Field): void {
    this.evict(this.most - field.size)
    if (field.size > this.most) return
    if (this.entries.length === 0) this.entries.length = Math.floor(this.capacity / MIN_SIZE)
    this.latest = (this.latest + 1) % this.entries.length
    this.entries[this.latest] = field
    this.count++
    this.size += field.size
  }

  /** Sets the maximum size chosen by the encoder, in bytes (section 4.3). False where that exceeds the capacity. */
  resize(most: number): boolean {
    if (most > this.capacity) return false
    this.most = most
    this.evict(most)
    return true
  }

  /** Classifies names by `naming` from now on. */
  rename(naming: Naming): void {
    this.fixed = staticFields(naming)
    for (const [place, field] of this.entries.entries())
      if (field !== undefined) this.entries[place] = fieldFrom(field.name.text, field.value, naming)
  }

  private evict(most: number): void {
    const { entries } = this
    while (this.size > most && this.count > 0) {
      const oldest = (this.latest - this.count + 1 + entries.length) % entries.length
      this.size -= entries[oldest]?.size ?? 0
      entries[oldest] = undefined
      this.count--
    }
  }
}

/** Static table entries by the names that a listener knows. */
const byNames = new WeakMap<FieldNames, { loose?: readonly Field[]; strict?: readonly Field[] }>()

function staticFields(naming: Naming): readonly Field[] {
  const { names, strict } = naming
  const known = byNames.get(names) ?? {}
  byNames.set(names, known)
  const made =
    (strict ? known.strict : known.loose) ?? staticTable.map(([name, value]) => fieldFrom(name, value, naming))
  if (strict) known.strict = made
  else known.loose = made
  return made
}

function fieldFrom(name: string, value: string, { names, strict }: Naming): Field {
  const bytes = Buffer.from(name, 'latin1')
  const content = Buffer.from(value, 'latin1')
  return fieldOf(nameOf(bytes, 0, bytes.length, names, strict), value, isValue(content, 0, content.length))
}
