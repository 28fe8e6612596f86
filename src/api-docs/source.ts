import { isFields } from '../core/value.ts'
import { follow, isReference, type Resolve, within } from '../openapi/references.ts'
import type { DocsObject } from '../policies/policy-docs.ts'
import { BrokenDocument } from './broken.ts'

/** Most values that are taken from one document; repeated ones are counted each time. */
const MAX_VALUES = 400_000
const MAX_DEPTH = 64
/** Most characters of a reference. */
const MAX_REFERENCE_LENGTH = 1000

/** A service's document being read: resolves references, and limits how much is taken from it. */
export class Source {
  private readonly resolve: Resolve
  private left = MAX_VALUES

  constructor(root: unknown) {
    this.resolve = within(root)
  }

  /** Counts one value at that depth. Throws BrokenDocument if there are too many, or it is too deep. */
  spend(depth: number): void {
    if (depth > MAX_DEPTH) throw new BrokenDocument(`is nested over ${MAX_DEPTH} levels deep`)
    if (--this.left < 0) throw new BrokenDocument(`has more than ${MAX_VALUES} values`)
  }

  /** Resolves a reference within the document; undefined for all others. */
  find(reference: string): unknown {
    return reference.length > MAX_REFERENCE_LENGTH || reference === '#' ? undefined : this.resolve(reference)
  }

  /** An object, possibly via a reference; undefined if there is none. */
  object(value: unknown): DocsObject | undefined {
    const found = follow(value, (reference) => this.find(reference))
    return isFields(found) && !isReference(found) ? found : undefined
  }

  /** A copy of any JSON value, for examples and the like, in which references have no meaning. */
  literal(value: unknown, depth: number): unknown {
    this.spend(depth)
    if (Array.isArray(value)) return value.map((item) => this.literal(item, depth + 1))
    if (!isFields(value)) return value
    return this.map(value, (item, key) =>
      key === '$ref' && typeof item === 'string' ? undefined : this.literal(item, depth + 1),
    )
  }

  /** The members for which `read` returns a value. */
  map(value: unknown, read: (item: unknown, key: string) => unknown): DocsObject {
    if (!isFields(value)) return {}
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => {
        this.spend(0)
        // Assigning to this name would set a prototype wherever the document is read.
        const made = key === '__proto__' ? undefined : read(item, key)
        return made === undefined ? [] : [[key, made]]
      }),
    )
  }
}
