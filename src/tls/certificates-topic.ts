import { defineTopic } from '../core/threads.ts'
import type { IdentityPair } from './server-identities.ts'

/** What the listeners show: for each listener of the configuration its pairs, none where it speaks no TLS. */
export interface ShownCertificates {
  /** Rises with each change. */
  readonly version: number
  readonly listeners: readonly (readonly IdentityPair[])[]
}

/** A thread asks what its listeners are to show; the main thread answers. */
export const certificatesTopic = defineTopic<null, ShownCertificates>('certificates')
