import type { OptionsPath, Policy } from '../policies/policy.ts'
import type { Path } from './problems.ts'
import { at, fieldOf, isFields, itemsOf } from '../core/value.ts'

/** Any key of a map, or any item of a list. */
export const ANY = '*'

/** The paths in the configuration of the options that `of` returns for each policy, for every route and for single routes. */
export function optionPaths(chain: readonly Policy[], of: (policy: Policy) => readonly OptionsPath[]): Path[] {
  return chain.flatMap((policy) =>
    of(policy).flatMap((steps): Path[] => [
      ['policies', policy.name, ...steps],
      ['routes', ANY, 'policies', policy.name, ...steps],
    ]),
  )
}

/** The paths in a value that match a pattern. */
export function matching(value: unknown, [step, ...rest]: Path, before: Path = []): Path[] {
  if (step === undefined) return [before]
  if (step !== ANY) {
    const child = fieldOf(value, String(step))
    // Most routes set nothing there.
    return child === undefined && rest.length > 0 ? [] : matching(child, rest, [...before, step])
  }
  const keys = Array.isArray(value) ? itemsOf(value).keys() : Object.keys(isFields(value) ? value : {})
  return [...keys].flatMap((key) => matching(at(value, key), rest, [...before, key]))
}
