import type { z } from 'zod'
import type { ProofDocs } from '../policy-docs.ts'
import type { PolicyToolbox } from '../policy.ts'
import type { Holder } from '../../core/shared.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Middleware } from '../../http/handler.ts'
import type { Reply } from '../../http/reply.ts'
import type { Identity } from './identity.ts'

/**
 * Kinds of proof of who calls: a token or a signature, which may be passed on to the service; an API key, a password or a session,
 * which never are; the certificate of the connection; the verdict of another service; or none, where `explain` assumes the caller.
 */
export type CredentialKind =
  | 'token'
  | 'key'
  | 'password'
  | 'signature'
  | 'session'
  | 'certificate'
  | 'verdict'
  | 'assumed'

/** Identifies callers by one kind of credentials. */
export interface Authenticator {
  /**
   * The identity of the caller, or null if the exchange carries no credentials of this kind. Throws CredentialError for credentials
   * that are not accepted, GatewayError 'service-unavailable' if they cannot be checked, and RefusedElsewhere with the reply of
   * another service. Synchronous if possible; everything needed from the exchange is read before the call returns. `check` is
   * called before any verification whose result is not cached, and throws if the client has failed too often.
   */
  authenticate(exchange: Exchange, check?: (exchange: Exchange) => void): Identity | null | Promise<Identity>
  /**
   * Replies to requests that the method handles itself, such as the one that completes a login, before anything else and even if no
   * route matches; null for any other request. Throws and rejects as `authenticate` does.
   */
  answer?(exchange: Exchange, check?: (exchange: Exchange) => void): Reply | Promise<Reply> | null
  /** The reply to a request without credentials instead of a 401, such as a redirect to a login; null if a 401 is appropriate. */
  invite?(exchange: Exchange): Reply | Promise<Reply> | null
  /** Whether it reads bearer tokens from Authorization: one that no such method recognizes is refused. */
  readonly readsAuthorization?: boolean
  /** Removes what no service may receive and no log may show, whether tokens are passed on or not; called before `conceal`. */
  redact?(exchange: Exchange): void
  /** Removes credentials of this kind from what the service receives and the log shows. */
  conceal(exchange: Exchange): void
  /** Called whenever a configuration takes effect, given by its holder, for each of its routes that use the authenticator. */
  takeOver?(configuration: Holder, route: string): void
  /** Middleware for replies; wraps everything else. */
  readonly around?: Middleware
}

/** A method of authentication: one file in this folder and one line in index.ts. */
export interface AuthMethod<Schema extends z.ZodType = z.ZodType, Name extends string = string> {
  /** Its key under `methods:`. */
  readonly name: Name
  readonly kind: CredentialKind
  /** One sentence for the reference documentation. */
  readonly summary: string
  readonly options: Schema
  /** Names of the request headers that it reads, in addition to Authorization and Cookie. */
  fields?(options: z.output<Schema>): readonly string[]
  /** Those of them that hold secrets. Default: all. */
  secretFields?(options: z.output<Schema>): readonly string[]
  /** Names of the query parameters that it reads. */
  secretParameters?(options: z.output<Schema>): readonly string[]
  /** Whether the authenticator uses the stores of the configuration. */
  usesStores?(options: z.output<Schema>): boolean
  /** Called once for all routes that use the method with these options, and not again for a new configuration with the same options. */
  create(options: z.output<Schema>, toolbox: PolicyToolbox): Authenticator
  /** Where the credentials are sent, for the API documentation. */
  document(options: z.output<Schema>): ProofDocs[]
}

/** Infers the options type for a method's `create`, and keeps its name as a literal type. */
export function defineAuthMethod<Schema extends z.ZodType, const Name extends string>(
  method: AuthMethod<Schema, Name>,
): AuthMethod<Schema, Name> {
  return method
}
