import type { z } from 'zod'
import type { ProofDocs } from '../policy-docs.ts'
import type { PolicyToolbox } from '../policy.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Middleware } from '../../http/handler.ts'
import type { Reply } from '../../http/reply.ts'
import type { Identity } from './identity.ts'

/**
 * What proves who calls: a token or a signature, which the service may get to see, an API key, a password or a session, which it
 * never does, the certificate of the connection, or the word of another service.
 */
export type CredentialKind = 'token' | 'key' | 'password' | 'signature' | 'session' | 'certificate' | 'word'

/** Finds out who calls by one kind of credentials. */
export interface Authenticator {
  /**
   * Who calls, or null where the exchange carries no credentials of this kind. Throws CredentialError for credentials
   * that prove nothing, and GatewayError 'service-unavailable' where that cannot be found out. Synchronous where it can
   * be; what it needs of the exchange it reads before it returns. RefusedElsewhere has the reply of another service. `check` is called before anything is verified that is
   * not known already, and throws where the client has failed too often.
   */
  authenticate(exchange: Exchange, check?: (exchange: Exchange) => void): Identity | null | Promise<Identity>
  /**
   * Answers a request of its own, such as one that a login ends with, before anything else and also where no route leads; null for
   * any other. Throws and rejects as `authenticate` does.
   */
  answer?(exchange: Exchange, check?: (exchange: Exchange) => void): Reply | Promise<Reply> | null
  /** What somebody without credentials gets in place of a 401, such as the way to a login; null where a 401 is right. */
  invite?(exchange: Exchange): Reply | Promise<Reply> | null
  /** It takes bearer tokens of Authorization: one that no such method knows is refused. */
  readonly readsAuthorization?: boolean
  /** Takes what no service receives and no log shows, whether tokens are passed on or not; called before `conceal`. */
  redact?(exchange: Exchange): void
  /** Takes the credentials of this kind, if any, out of what the service receives and the log shows. */
  conceal(exchange: Exchange): void
  /** What it does about replies; around everything else. */
  readonly around?: Middleware
}

/** A way to find out who calls: one file in this folder and one line in index.ts. */
export interface AuthMethod<Schema extends z.ZodType = z.ZodType, Name extends string = string> {
  /** Its key under `methods:`. */
  readonly name: Name
  readonly kind: CredentialKind
  /** One sentence for the reference documentation. */
  readonly summary: string
  readonly options: Schema
  /** Names of the request fields that it reads, besides Authorization and Cookie. */
  fields?(options: z.output<Schema>): readonly string[]
  /** Those of them that hold secrets. Default all. */
  secretFields?(options: z.output<Schema>): readonly string[]
  /** Whether what it makes of the options asks the stores of the configuration. */
  usesStores?(options: z.output<Schema>): boolean
  /**
   * Called once for all routes that use it with these options, and not again for the next configuration where that has
   * the same options.
   */
  create(options: z.output<Schema>, toolbox: PolicyToolbox): Authenticator
  /** Where the credentials go, for the API's documentation. */
  document(options: z.output<Schema>): ProofDocs[]
}

/** Gives a method's `create` the type of its options, and keeps its name as a literal type. */
export function defineAuthMethod<Schema extends z.ZodType, const Name extends string>(
  method: AuthMethod<Schema, Name>,
): AuthMethod<Schema, Name> {
  return method
}
