import { createHash } from 'node:crypto'
import { defineTopic } from '../core/threads.ts'
import type { ClientAuthorities, ClientAuthorityPlaces } from './client-authorities.ts'
import type { KeyPair } from './key-pair.ts'

/** What listeners show that name the same certificates and authorities. */
export interface ShownPairs {
  readonly pairs: readonly KeyPair[]
  /** Whose certificates clients may show; null where they are asked for none, or none can be verified. */
  readonly clients: ClientAuthorities | null
}

/** What the listeners show. */
export interface ShownCertificates {
  /** Rises with each change. */
  readonly version: number
  /** By the key of what is named. */
  readonly shown: ReadonlyMap<string, ShownPairs>
}

/** Where certificates come from, and the authorities of clients, as it is configured: plain data. */
export interface NamedCertificates {
  readonly certificates: readonly object[]
  readonly acme?: object | undefined
  readonly clientCertificates?: ClientAuthorityPlaces | undefined
}

/** The key of what a listener shows: the same for all that name the same, whatever else they are, and whichever configuration they are of. */
export function shownKey({ certificates, acme, clientCertificates }: NamedCertificates): string {
  const clients = clientCertificates === undefined ? null : [clientCertificates.ca, clientCertificates.crl ?? null]
  return createHash('sha256')
    .update(JSON.stringify([certificates, acme ?? null, clients]))
    .digest('base64')
}

/** A thread asks what its listeners are to show; the main thread answers. */
export const certificatesTopic = defineTopic<null, ShownCertificates>('certificates')

/** The main thread tells all threads what their listeners are to show from now on. */
export const certificatesChangedTopic = defineTopic<ShownCertificates, null>('certificates-changed')
