import { defineTopic } from '../core/threads.ts'
import type { OutgoingTlsOptions } from './outgoing.ts'

/** How services are connected to whose files have changed since the configuration was loaded. */
export interface ChangedTls {
  /** Rises with each change. */
  readonly version: number
  readonly services: Readonly<Record<string, OutgoingTlsOptions>>
}

/** A thread asks what has changed before it was there; the main thread answers. */
export const serviceTlsTopic = defineTopic<null, ChangedTls>('service-tls')

/** The main thread tells all threads how services are connected to from now on. */
export const serviceTlsChangedTopic = defineTopic<ChangedTls, null>('service-tls-changed')
