import type { Counter } from '../../core/metrics.ts'

/** Where a key is found: no client finds that of another. */
export interface KeyPlace {
  /** Whose key it is, as the limits count clients. */
  readonly client: string
  /** A digest of the route and the key. */
  readonly id: string
}

/** A request that a key is held for. */
export interface HeldKey {
  readonly place: KeyPlace
  /** Tells it from every other one. */
  readonly token: string
}

/** A request with a key that wants to be the first. */
export interface KeyClaimant extends HeldKey {
  /** A digest of what its head says: the same for a request that is repeated. */
  readonly head: string
  /** How long the key stands for it, in milliseconds. */
  readonly ttl: number
  /** It goes on where the one before has been sent and no reply is at hand. */
  readonly forward: boolean
}

/** A reply that is repeated. */
export interface StoredReply {
  readonly status: number
  /** Field lines. */
  readonly fields: string
  readonly body: Uint8Array | null
  /** A digest of the body of the request; null where the reply came before all of that was there. */
  readonly digest: string | null
}

/** What a request has of a key; `head` is that of the first one. */
export type KeyClaim =
  /** It is the first one. */
  | { readonly is: 'claimed' }
  /** The first one is under way. */
  | { readonly is: 'outstanding'; readonly head: string }
  /** The first one was sent, and no reply is at hand. */
  | { readonly is: 'spent'; readonly head: string }
  | { readonly is: 'stored'; readonly head: string; readonly reply: StoredReply }

/** How long a key is held for a request that is under way without anybody saying that it still is, in milliseconds. */
export const LEASE = 15_000

/** What a reply takes in memory besides its fields and its body, about, in octets. */
const BESIDE = 512

/** Octets that a reply takes. */
export function sizeOf({ fields, body }: StoredReply): number {
  return BESIDE + fields.length + (body?.length ?? 0)
}

/** Octets that a key takes whose reply is not at hand. */
export const SPENT_SIZE = BESIDE

/** Where keys and replies live. What it does not answer is null, or false; it never rejects. */
export interface RepeatStore {
  claim(claimant: KeyClaimant): Promise<KeyClaim | null>
  /** What `claim` would say: nothing is held. */
  look(claimant: KeyClaimant): Promise<KeyClaim | null>
  /** They are still under way. */
  renew(held: readonly HeldKey[]): Promise<void>
  /**
   * Keeps the reply, unless the key has gone to another request meanwhile. All replies of a client take `perClient` octets
   * at most: its oldest ones make way.
   */
  keep(held: HeldKey, reply: StoredReply, perClient: number): Promise<boolean>
  /** It was sent, and there will be no reply. */
  spend(held: HeldKey, perClient: number): Promise<boolean>
  /** It was not sent: the key is free. */
  release(held: HeldKey): Promise<boolean>
}

/** Makes a store: `evictions` counts the replies that make way for others, where it is the thread that knows. */
export type MakeRepeatStore = (evictions: Counter) => RepeatStore
