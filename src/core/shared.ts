/** Owner of shared things in a thread, such as one configuration. A thing is closed once its last holder releases it. */
export class Holder {
  /** Identifies the thread; holders with the same value can share things. */
  readonly thread: object
  /** The sharing scope: the thread's, or this holder's own. */
  readonly scope: object
  private readonly held = new Set<() => void>()
  /** Callbacks waiting for the takeover; null once it has happened. */
  private waiting: (() => void)[] | null = []

  constructor(thread: object, scope = thread) {
    this.thread = thread
    this.scope = scope
  }

  /** Creates an isolated holder in the same thread: nothing is shared with other holders, in either direction. */
  static isolated(thread: object): Holder {
    return new Holder(thread, {})
  }

  /** Registers `end`, which is called on release. */
  onRelease(end: () => void): void {
    this.held.add(end)
  }

  /** Calls `begin` when this holder takes over, or immediately if it already has: from then on, shared things use its settings. */
  onTakeOver(begin: () => void): void {
    if (this.waiting === null) begin()
    else this.waiting.push(begin)
  }

  /** Makes this holder the one in effect, such as the configuration that handles requests. */
  takeOver(): void {
    const { waiting } = this
    this.waiting = null
    for (const begin of waiting ?? []) begin()
  }

  /** Releases everything. */
  release(): void {
    for (const end of this.held) end()
    this.held.clear()
  }
}

interface SharedEntry<Thing> {
  readonly thing: Thing
  readonly holders: Set<Holder>
  /** Holds the things that this one is built from. */
  readonly own: Holder
}

/**
 * Live objects of one kind, each under a key. Within a thread, all users of a key share the same object, so a new
 * configuration takes over from the previous one whatever both use. A thing without holders is closed if it has a `close` method.
 */
export class Shared<Thing extends object & { close?(): void }> {
  private readonly scopes = new WeakMap<object, Map<string, SharedEntry<Thing>>>()

  /**
   * Returns the thing under that key and creates it if necessary. Whatever it depends on should be held by `own`, so that it lives at least
   * as long; `own` takes over with the first of its holders that does.
   */
  get(holder: Holder, key: string, make: (own: Holder) => Thing): Thing {
    const things = this.scopes.get(holder.scope) ?? new Map<string, SharedEntry<Thing>>()
    this.scopes.set(holder.scope, things)
    const entry = things.get(key) ?? makeEntry(holder, make)
    things.set(key, entry)
    if (entry.holders.has(holder)) return entry.thing
    entry.holders.add(holder)
    holder.onTakeOver(() => entry.own.takeOver())
    holder.onRelease(() => {
      entry.holders.delete(holder)
      if (entry.holders.size > 0) return
      things.delete(key)
      entry.thing.close?.()
      entry.own.release()
    })
    return entry.thing
  }

  /**
   * Returns the thing shared under that key in the holder's thread, for inspection only: it may be closed at any time. Null if there is
   * none.
   */
  peek(holder: Holder, key: string): Thing | null {
    return this.scopes.get(holder.thread)?.get(key)?.thing ?? null
  }
}

function makeEntry<Thing>({ thread, scope }: Holder, make: (own: Holder) => Thing): SharedEntry<Thing> {
  const own = new Holder(thread, scope)
  try {
    return { thing: make(own), holders: new Set(), own }
  } catch (error) {
    own.release()
    throw error
  }
}
