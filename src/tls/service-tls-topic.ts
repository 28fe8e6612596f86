import { defineTopic } from '../core/threads.ts'

/** Certificates and key for one service, in PEM, and the files that hold them; null for what is not from a file. */
export interface HeldTls {
  readonly files: Readonly<Record<'ca' | 'cert' | 'key', string | null>>
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** Whether both are from the same files, and the rest of them is the same: what one has read is of use to the other. */
export function areOfSame(one: HeldTls, other: HeldTls): boolean {
  return (['ca', 'cert', 'key'] as const).every(
    (name) => one.files[name] === other.files[name] && (one.files[name] !== null || one[name] === other[name]),
  )
}

/** What the files of services hold that have changed since the configuration was loaded. */
export interface ChangedTls {
  /** Rises with each change. */
  readonly version: number
  /** By the names of the services. */
  readonly services: Readonly<Record<string, HeldTls>>
}

/** A thread asks what has changed before it was there; the main thread answers. */
export const serviceTlsTopic = defineTopic<null, ChangedTls>('service-tls')

/** The main thread tells all threads what the files of services hold from now on. */
export const serviceTlsChangedTopic = defineTopic<ChangedTls, null>('service-tls-changed')
