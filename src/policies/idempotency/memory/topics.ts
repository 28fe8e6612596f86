import { defineTopic } from '../../../core/threads.ts'
import type { KeyClaim, KeyClaimant, HeldKey, StoredReply } from '../store.ts'

/** What threads ask the main thread of the keys in its memory. */
export const claimKey = defineTopic<KeyClaimant, KeyClaim | null>('idempotency-claim')

export const lookAtKey = defineTopic<KeyClaimant, KeyClaim | null>('idempotency-look')

export const renewKeys = defineTopic<readonly HeldKey[], true>('idempotency-renew')

/** What became of a request: its reply, where that can be repeated; nothing where it was not sent. */
export type Settlement =
  | { readonly as: 'kept'; readonly held: HeldKey; readonly reply: StoredReply; readonly perClient: number }
  | { readonly as: 'spent'; readonly held: HeldKey; readonly perClient: number }
  | { readonly as: 'released'; readonly held: HeldKey }

export const settleKey = defineTopic<Settlement, true>('idempotency-settle')
