import type { ClientConnection } from './client-connection.ts'
import type { Encryption } from '../http/encryption.ts'
import type { FieldLimits } from '../http/limits.ts'
import type { ServiceTimeouts } from '../http/outgoing-request.ts'

/** What a client connection needs to know; times are milliseconds. */
export interface ClientOptions extends FieldLimits, ServiceTimeouts {
  /** Without a request. */
  readonly poolTimeout: number
  /** How long a new connection is used again: for ever, it would hold on to an address that its name no longer has. */
  readonly lifetime: () => number
  /** Null where connections are not encrypted. */
  readonly encryption: Encryption | null
}

/** Where a connection returns to. */
export interface ClientOwner {
  /** It may carry another request. */
  release(connection: ClientConnection): void
  /** It carries an exchange that lasts, and counts apart from now on. False where no more of those may be. */
  detach(connection: ClientConnection): boolean
  /** It is gone. */
  closed(connection: ClientConnection): void
}
