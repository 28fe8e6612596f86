import type { Counter } from '../../core/metrics.ts'

/** Identifies a key: clients never share keys. */
export interface KeyPlace {
  /** The client's name, as used for rate limits. */
  readonly client: string
  /** A digest of the route and the key. */
  readonly id: string
}

/** A request that holds a key. */
export interface HeldKey {
  readonly place: KeyPlace
  /** Uniquely identifies the request. */
  readonly token: string
}

/** A request with a key that claims to be the first. */
export interface KeyClaimant extends HeldKey {
  /** A digest of its head: the same for a repetition of the request. */
  readonly head: string
  /** How long the key is kept, in milliseconds. */
  readonly ttl: number
  /** Whether it is to go on if an earlier one was sent but no reply is available. */
  readonly forward: boolean
}

/** A stored reply that can be repeated. */
export interface StoredReply {
  readonly status: number
  /** Field lines. */
  readonly fields: string
  readonly body: Uint8Array | null
  /** A digest of the body of the request; null if the reply arrived before the whole body. */
  readonly digest: string | null
}

/** The result of claiming a key; `head` is that of the first request. */
export type KeyClaim =
  /** It is the first request. */
  | { readonly is: 'claimed' }
  /** The first request is still in progress. */
  | { readonly is: 'outstanding'; readonly head: string }
  /** The first request was sent, but no reply is available. */
  | { readonly is: 'spent'; readonly head: string }
  | { readonly is: 'stored'; readonly head: string; readonly reply: StoredReply }

/** How long a key is held for a request in progress without a renewal, in milliseconds. */
export const LEASE = 15_000

/** Approximate memory of a reply in addition to its headers and body, in bytes. */
const BESIDE = 512

/** The size of a reply in bytes. */
export function sizeOf({ fields, body }: StoredReply): number {
  return BESIDE + fields.length + (body?.length ?? 0)
}

/** The size in bytes of a key without a reply. */
export const SPENT_SIZE = BESIDE

/** A store for keys and replies. Failures are reported as null or false; it never rejects. */
export interface RepeatStore {
  claim(claimant: KeyClaimant): Promise<KeyClaim | null>
  /** What `claim` would return, without claiming anything. */
  look(claimant: KeyClaimant): Promise<KeyClaim | null>
  /** Extends the leases of requests that are still in progress. */
  renew(held: readonly HeldKey[]): Promise<void>
  /**
   * Stores the reply, unless the key has been claimed by another request in the meantime. The replies of a client use at most
   * `perClient` bytes: its oldest ones are evicted.
   */
  keep(held: HeldKey, reply: StoredReply, perClient: number): Promise<boolean>
  /** The request was sent, and there will be no reply. */
  spend(held: HeldKey, perClient: number): Promise<boolean>
  /** The request was not sent: the key becomes available again. */
  release(held: HeldKey): Promise<boolean>
}

/** Creates a store: `evictions` counts evicted replies, if this thread learns of them. */
export type MakeRepeatStore = (evictions: Counter) => RepeatStore
