import { defineTopic } from '../core/threads.ts'
import type { ClientAuthorities } from './client-authorities.ts'
import type { KeyPair } from './key-pair.ts'

/** What the listeners show: for each listener of the configuration its pairs, none where it speaks no TLS. */
export interface ShownCertificates {
  /** Rises with each change. */
  readonly version: number
  readonly listeners: readonly (readonly KeyPair[])[]
  /** Whose certificates clients may show there; null where they are asked for none, or none can be verified. */
  readonly clients: readonly (ClientAuthorities | null)[]
}

/** A thread asks what its listeners are to show; the main thread answers. */
export const certificatesTopic = defineTopic<null, ShownCertificates>('certificates')

/** The main thread tells all threads what their listeners are to show from now on. */
export const certificatesChangedTopic = defineTopic<ShownCertificates, null>('certificates-changed')
