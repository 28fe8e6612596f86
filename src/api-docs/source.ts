import { fieldOf, isFields } from '../core/value.ts'
import type { DocsObject } from '../policies/policy-docs.ts'
import { BrokenDocument } from './broken.ts'

/** Values that are taken over from one document, those that are repeated counted each time. */
const MOST_VALUES = 400_000
const DEEPEST = 64
/** References that lead on to others. */
const MOST_HOPS = 16
/** Characters of a reference. */
const LONGEST_REFERENCE = 1000

/** A service's document while it is read: finds what references lead to, and bounds what is taken over. */
export class Source {
  private readonly root: unknown
  private left = MOST_VALUES

  constructor(root: unknown) {
    this.root = root
  }

  /** Counts one value at that depth. Throws BrokenDocument where it is one too many, or too deep. */
  spend(depth: number): void {
    if (depth > DEEPEST) throw new BrokenDocument(`is nested over ${DEEPEST} levels deep`)
    if (--this.left < 0) throw new BrokenDocument(`has over ${MOST_VALUES} values`)
  }

  /** What a reference within the document leads to; undefined for all others. */
  find(reference: string): unknown {
    const steps = stepsOf(reference)
    return steps?.reduce<unknown>((value, step) => {
      if (!Array.isArray(value)) return fieldOf(value, step)
      return /^\d{1,9}$/.test(step) ? value[Number(step)] : undefined
    }, this.root)
  }

  /** An object, or the one that it refers to; undefined where there is none. */
  object(value: unknown): DocsObject | undefined {
    let found = value
    for (let hops = 0; hops < MOST_HOPS; hops++) {
      if (!isFields(found)) return undefined
      const reference = fieldOf(found, '$ref')
      if (typeof reference !== 'string') return found
      found = this.find(reference)
    }
    return undefined
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

/** The steps of a JSON Pointer in a URI fragment (RFC 6901 section 6), or undefined for any other reference. */
export function stepsOf(reference: string): string[] | undefined {
  if (!reference.startsWith('#/') || reference.length > LONGEST_REFERENCE) return undefined
  try {
    const pointer = decodeURIComponent(reference.slice(2))
    return pointer.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  } catch {
    return undefined
  }
}
