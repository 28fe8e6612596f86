import type { Encryption } from '../http/encryption.ts'
import type { FieldLimits } from '../http/limits.ts'
import type { ServiceTimeouts } from '../http/outgoing-request.ts'

/** Bounds of a client connection, which may change while it lives; times are milliseconds. */
export interface ClientBounds extends FieldLimits, ServiceTimeouts {
  /** Without a request. */
  readonly poolTimeout: number
  /** How long a new connection is used again: for ever, it would hold on to an address that its name no longer has. */
  readonly lifetime: () => number
}

/** What a client connection needs to know. */
export interface ClientOptions extends ClientBounds {
  /** Null where connections are not encrypted. */
  readonly encryption: Encryption | null
}
