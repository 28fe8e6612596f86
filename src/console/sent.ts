import type { ConfigStatus } from './answers.ts'

/** A text that was applied until someone keeps it: what was typed must not be lost if it is rolled back. */
export interface Sent {
  readonly etag: string | null
  /** ETag of the text that it replaces. */
  readonly base: string
  /** Since when that was in effect. */
  readonly since: string
}

/** What becomes of it; "replaced" if there is another configuration by now. */
export type Fate = 'waiting' | 'kept' | 'undone' | 'replaced'

/** What has become of it so far. */
export function fateOf(sent: Sent, { etag, since, awaitsConfirmation }: ConfigStatus): Fate {
  if (etag === sent.etag) return awaitsConfirmation === null ? 'kept' : 'waiting'
  if (etag !== sent.base) return 'replaced'
  // Until the state has been fetched again, it is that from before the change.
  return since === sent.since ? 'waiting' : 'undone'
}
