/** What things of a thread are held by, such as one configuration: those that nobody else holds end with it. */
export class Holder {
  /** The same for all that share things with one another. */
  readonly thread: object
  /** Whose things it holds: those that all of the thread share, or its own. */
  readonly scope: object
  private readonly held = new Set<() => void>()
  /** Null once it has taken over. */
  private waiting: (() => void)[] | null = []

  constructor(thread: object, scope = thread) {
    this.thread = thread
    this.scope = scope
  }

  /** One in the same thread that shares nothing with others: what is made for it, nobody else has, and it has nothing of theirs. */
  static aside(thread: object): Holder {
    return new Holder(thread, {})
  }

  /** Has `end` called when nothing is held any more. */
  hold(end: () => void): void {
    this.held.add(end)
  }

  /** Has `begin` called when it takes over, or now where it has: what it shares with others goes by it from then on. */
  atTakeOver(begin: () => void): void {
    if (this.waiting === null) begin()
    else this.waiting.push(begin)
  }

  /** It is the one that counts from now on, as a configuration that answers requests. */
  takeOver(): void {
    const { waiting } = this
    this.waiting = null
    for (const begin of waiting ?? []) begin()
  }

  /** Lets go of everything. */
  release(): void {
    for (const end of this.held) end()
    this.held.clear()
  }
}

interface Kept<Thing> {
  readonly thing: Thing
  readonly holders: Set<Holder>
  /** Holds what the thing is made from. */
  readonly own: Holder
}

/**
 * Live things of one kind, each under a key: in one thread, whoever asks for the same key gets the same thing, and one
 * configuration takes over from the one before what it asks for too. A thing that nobody holds any more is closed, if
 * it can be.
 */
export class Shared<Thing extends { close?(): void }> {
  private readonly scopes = new WeakMap<object, Map<string, Kept<Thing>>>()

  /** The thing under that key, made if there is none: of things that are held by `own`, so that they end no sooner than it does. */
  get(holder: Holder, key: string, make: (own: Holder) => Thing): Thing {
    const things = this.scopes.get(holder.scope) ?? new Map<string, Kept<Thing>>()
    this.scopes.set(holder.scope, things)
    const kept = things.get(key) ?? makeKept(holder, make)
    things.set(key, kept)
    if (kept.holders.has(holder)) return kept.thing
    kept.holders.add(holder)
    holder.hold(() => {
      kept.holders.delete(holder)
      if (kept.holders.size > 0) return
      things.delete(key)
      kept.thing.close?.()
      kept.own.release()
    })
    return kept.thing
  }

  /** What the thread of a holder shares under that key, to be looked at: it may end at any time. Null where there is nothing. */
  seen(holder: Holder, key: string): Thing | null {
    return this.scopes.get(holder.thread)?.get(key)?.thing ?? null
  }
}

function makeKept<Thing>({ thread, scope }: Holder, make: (own: Holder) => Thing): Kept<Thing> {
  const own = new Holder(thread, scope)
  try {
    return { thing: make(own), holders: new Set(), own }
  } catch (error) {
    own.release()
    throw error
  }
}
