import { pointerTokens } from '../core/json-pointer.ts'
import { fieldOf } from '../core/value.ts'

/** Finds the target of a `$ref`; undefined if it is not in the document. */
export type Resolve = (reference: string) => unknown

/** Most references that are followed in a chain. */
const MAX_HOPS = 16
/** An index of a list. */
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
  return pointerTokens(reference.includes('%') ? reference.split('/').map(decode).join('/') : reference)
}

/** Follows a reference, possibly through others; any other value is returned unchanged. */
export function follow(written: unknown, resolve: Resolve): unknown {
  let value = written
  for (let hops = 0; hops < MAX_HOPS && isReference(value); hops++) value = resolve(value.$ref)
  return value
}

/** Whether a value is a Reference Object (OpenAPI 3.1.1 section 4.8.23). */
export function isReference(value: unknown): value is { readonly $ref: string } {
  return typeof fieldOf(value, '$ref') === 'string'
}

/** Decodes one step, in which an encoded slash is a part of the name; an invalid encoding is left unchanged. */
function decode(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('/', '~1')
  } catch {
    return step
  }
}
