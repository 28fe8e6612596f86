import type { StoreTools } from './store-tools.ts'

/** A place where a feature can keep something: a file, and a line in the feature's list. */
export interface StoreKind<Make> {
  /** What the option `store` calls it. */
  readonly name: string
  /** What makes stores there; null where it is not configured. */
  open(tools: StoreTools): Make | null
}

/** Those of a list that are configured. */
export class OpenStores<Name extends string, Make> {
  /** The one to take where none is named: the last of the list. */
  readonly preferred: Name
  private readonly makers = new Map<string, Make>()

  /** One of the list must be configured always. */
  constructor(list: readonly (StoreKind<Make> & { readonly name: Name })[], always: Name, tools: StoreTools) {
    this.preferred = always
    for (const store of list) {
      const make = store.open(tools)
      if (make === null) continue
      this.makers.set(store.name, make)
      this.preferred = store.name
    }
  }

  /** Throws an Error where it is not configured. */
  maker(name: Name): Make {
    const make = this.makers.get(name)
    if (make === undefined) throw new Error(`stores.${name} is not configured`)
    return make
  }
}
