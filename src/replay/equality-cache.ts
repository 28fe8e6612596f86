import { isDeepStrictEqual } from 'node:util'

/** Whether two parts of configurations have the same meaning; results are cached. */
export class EqualityCache {
  private readonly known = new WeakMap<object, WeakMap<object, boolean>>()

  of(one: unknown, other: unknown): boolean {
    if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null) return one === other
    if (one === other) return true
    const known = this.known.get(one) ?? new WeakMap<object, boolean>()
    this.known.set(one, known)
    const same = known.get(other) ?? isDeepStrictEqual(one, other)
    known.set(other, same)
    return same
  }
}
