import { defineTopic } from '../core/threads.ts'

/** Certificates and key for one service, in PEM, and the files that contain them; null for those not from a file. */
export interface HeldTls {
  readonly files: Readonly<Record<'ca' | 'cert' | 'key', string | null>>
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** Whether both use the same files and otherwise have the same content, so that what was read for one is usable for the other. */
export function areOfSame(one: HeldTls, other: HeldTls): boolean {
  return (['ca', 'cert', 'key'] as const).every(
    (name) => one.files[name] === other.files[name] && (one.files[name] !== null || one[name] === other[name]),
  )
}

/** Content of service TLS files that have changed since the configuration was loaded. */
export interface ChangedTls {
  /** Increases with each change. */
  readonly version: number
  /** By service name. */
  readonly services: Readonly<Record<string, HeldTls>>
}

/** Asked by a new thread for earlier changes; the main thread answers. */
export const serviceTlsTopic = defineTopic<null, ChangedTls>('service-tls')

/** The main thread notifies all threads of changed file content. */
export const serviceTlsChangedTopic = defineTopic<ChangedTls, null>('service-tls-changed')
