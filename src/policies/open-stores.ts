import type { StoreTools } from './store-tools.ts'

/** A kind of store that a feature can use: one file, and one line in the feature's list. */
export interface StoreKind<Make> {
  /** Its name in the option `store`. */
  readonly name: string
  /** Returns a factory for such stores; null if it is not configured. */
  open(tools: StoreTools): Make | null
}

/** The configured stores of a list. */
export class OpenStores<Name extends string, Make> {
  /** The default if no store is named: the last configured one of the list. */
  readonly preferred: Name
  private readonly makers = new Map<string, Make>()

  /** `always` is the one that is configured in every case. */
  constructor(list: readonly (StoreKind<Make> & { readonly name: Name })[], always: Name, tools: StoreTools) {
    this.preferred = always
    for (const store of list) {
      const make = store.open(tools)
      if (make === null) continue
      this.makers.set(store.name, make)
      this.preferred = store.name
    }
  }

  /** Throws an Error if it is not configured. */
  maker(name: Name): Make {
    const make = this.makers.get(name)
    if (make === undefined) throw new Error(`stores.${name} is not configured`)
    return make
  }
}
