import { defineTopic } from '../../../core/threads.ts'
import type { KeyClaim, KeyClaimant, HeldKey, StoredReply } from '../store.ts'

/** Questions of threads to the main thread about the keys in its memory. */
export const claimKey = defineTopic<KeyClaimant, KeyClaim | null>('idempotency-claim')

export const lookAtKey = defineTopic<KeyClaimant, KeyClaim | null>('idempotency-look')

export const renewKeys = defineTopic<readonly HeldKey[], true>('idempotency-renew')

/** The outcome of a request: its reply if that can be repeated; released if it was not sent. */
export type Settlement =
  | { readonly as: 'kept'; readonly held: HeldKey; readonly reply: StoredReply; readonly perClient: number }
  | { readonly as: 'spent'; readonly held: HeldKey; readonly perClient: number }
  | { readonly as: 'released'; readonly held: HeldKey }

export const settleKey = defineTopic<Settlement, true>('idempotency-settle')
