import { createHash } from 'node:crypto'
import { defineTopic } from '../core/threads.ts'
import type { ClientAuthorities, ClientAuthorityPlaces } from './client-authorities.ts'
import type { KeyPair } from './key-pair.ts'

/** The certificates of listeners that name the same certificates and authorities. */
export interface ShownPairs {
  readonly pairs: readonly KeyPair[]
  /** Authorities for client certificates; null if clients are not asked for any, or if none can be verified. */
  readonly clients: ClientAuthorities | null
}

/** The certificates of all listeners. */
export interface ShownCertificates {
  /** Increases with each change. */
  readonly version: number
  /** By key of the named certificates. */
  readonly shown: ReadonlyMap<string, ShownPairs>
}

/** Configured sources of certificates, and of authorities for client certificates: plain data. */
export interface NamedCertificates {
  readonly certificates: readonly object[]
  readonly acme?: object | undefined
  readonly clientCertificates?: ClientAuthorityPlaces | undefined
}

/**
 * Key of a listener's certificates: identical for all listeners that name the same ones, whatever their other options and configuration.
 */
export function shownKey({ certificates, acme, clientCertificates }: NamedCertificates): string {
  const clients = clientCertificates === undefined ? null : [clientCertificates.ca, clientCertificates.crl ?? null]
  return createHash('sha256')
    .update(JSON.stringify([certificates, acme ?? null, clients]))
    .digest('base64')
}

/** Asked by a thread for the certificates of its listeners; the main thread answers. */
export const certificatesTopic = defineTopic<null, ShownCertificates>('certificates')

/** The main thread notifies all threads of changed certificates. */
export const certificatesChangedTopic = defineTopic<ShownCertificates, null>('certificates-changed')
