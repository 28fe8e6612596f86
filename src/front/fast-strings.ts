/** Inherits from String.prototype and stores a property. */
class StringSubclass extends String {
  readonly stored: boolean

  constructor() {
    super()
    this.stored = true
  }
}

/**
 * Keeps string methods fast, regardless of which modules were loaded. A module that declares a class extending String, as ioredis does,
 * leaves String.prototype in V8's slow (dictionary) mode: from then on every string method call performs a property lookup, which triples
 * the cost of scanning a header. V8 returns to the fast mode when a property is stored in an object that inherits from it.
 */
export function makeStringsFast(): void {
  void new StringSubclass()
}
