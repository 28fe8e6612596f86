import { isFields } from '../core/value.ts'
import { follow, isReference, type Resolve, within } from '../openapi/references.ts'
import type { DocsObject } from '../policies/policy-docs.ts'
import { BrokenDocument } from './broken.ts'

/** Values that are taken over from one document, those that are repeated counted each time. */
const MOST_VALUES = 400_000
const DEEPEST = 64
/** Characters of a reference. */
const LONGEST_REFERENCE = 1000

/** A service's document while it is read: finds what references lead to, and bounds what is taken over. */
export class Source {
  private readonly resolve: Resolve
  private left = MOST_VALUES

  constructor(root: unknown) {
    this.resolve = within(root)
  }

  /** Counts one value at that depth. Throws BrokenDocument where it is one too many, or too deep. */
  spend(depth: number): void {
    if (depth > DEEPEST) throw new BrokenDocument(`is nested over ${DEEPEST} levels deep`)
    if (--this.left < 0) throw new BrokenDocument(`has over ${MOST_VALUES} values`)
  }

  /** What a reference within the document leads to; undefined for all others. */
  find(reference: string): unknown {
    return reference.length > LONGEST_REFERENCE || reference === '#' ? undefined : this.resolve(reference)
  }

  /** An object, or the one that it refers to; undefined where there is none. */
  object(value: unknown): DocsObject | undefined {
    const found = follow(value, (reference) => this.find(reference))
    return isFields(found) && !isReference(found) ? found : undefined
  }

  /** A copy of any JSON value, for examples and the like; nothing in it is a reference. */
  literal(value: unknown, depth: number): unknown {
    this.spend(depth)
    if (Array.isArray(value)) return value.map((item) => this.literal(item, depth + 1))
    if (!isFields(value)) return value
    return this.map(value, (item, key) =>
      key === '$ref' && typeof item === 'string' ? undefined : this.literal(item, depth + 1),
    )
  }

  /** The members that `read` makes something of. */
  map(value: unknown, read: (item: unknown, key: string) => unknown): DocsObject {
    if (!isFields(value)) return {}
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => {
        this.spend(0)
        // Assigned to, it would set a prototype wherever the document is read.
        const made = key === '__proto__' ? undefined : read(item, key)
        return made === undefined ? [] : [[key, made]]
      }),
    )
  }
}
