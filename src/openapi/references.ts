import { stepsOf } from '../core/json-pointer.ts'
import { fieldOf } from '../core/value.ts'

/** Finds what a `$ref` names; undefined where that is nothing in the document. */
export type Resolve = (reference: string) => unknown

/** References that lead on to others. */
const MOST_HOPS = 16
/** An item of a list. */
const INDEX = /^\d{1,9}$/

/** Resolves references of the form "#/a/b" within a document (RFC 6901 section 6). */
export function within(document: unknown): Resolve {
  return (reference) =>
    stepsIn(reference)?.reduce<unknown>((value, step) => {
      if (!Array.isArray(value)) return fieldOf(value, step)
      return INDEX.test(step) ? value[Number(step)] : undefined
    }, document)
}

/** The steps of a JSON pointer in a URI fragment; undefined for any other reference. */
export function stepsIn(reference: string): string[] | undefined {
  if (reference !== '#' && !reference.startsWith('#/')) return undefined
  return stepsOf(reference.includes('%') ? reference.split('/').map(decode).join('/') : reference)
}

/** What a value leads to where it is a reference, perhaps to another one; as it is where it is none. */
export function follow(written: unknown, resolve: Resolve): unknown {
  let value = written
  for (let hops = 0; hops < MOST_HOPS && isReference(value); hops++) value = resolve(value.$ref)
  return value
}

/** Whether a value is a Reference Object (OpenAPI 3.1.1 section 4.8.23). */
export function isReference(value: unknown): value is { readonly $ref: string } {
  return typeof fieldOf(value, '$ref') === 'string'
}

/** One step, in which an encoded slash is a part of the name; as it is written where that is no encoding. */
function decode(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('/', '~1')
  } catch {
    return step
  }
}
