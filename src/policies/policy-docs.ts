import type { ErrorCode, ErrorKind } from '../core/errors.ts'

/** An object of an OpenAPI document. */
export type DocsObject = Readonly<Record<string, unknown>>

/** The parts of an operation that determine what a policy means for it. */
export interface DocumentedOperation {
  /** In upper case. */
  readonly method: string
  /** A path that it handles, in its normal form. */
  readonly path: string
}

/** A way to authenticate. */
export interface ProofDocs {
  /** The name of the scheme in the document. */
  readonly name: string
  /** The Security Scheme Object (OpenAPI 3.1.1 section 4.8.27). */
  readonly scheme: DocsObject
}

/** A reply header. */
export interface FieldDocs {
  readonly name: string
  /** One sentence. */
  readonly description: string
  readonly example: string
}

/** A request header that a policy reads. */
export interface ParameterDocs extends FieldDocs {
  readonly required: boolean
  /** Maximum length in characters. */
  readonly longest: number
}

/** An error that a policy itself replies with. */
export interface RefusalDocs {
  /** A code of the gateway, or an error that the policy has defined. */
  readonly code: ErrorCode | ErrorKind
  /** When it occurs, in one sentence. */
  readonly description: string
  /** Headers sent with it. */
  readonly fields?: readonly FieldDocs[]
}

/** What a policy means for callers of an operation. */
export interface PolicyDocs {
  /** Alternative ways to authenticate, one of which is needed; empty if the operation is public. Left out if the policy requires none. */
  readonly proofs?: readonly ProofDocs[]
  /** Roles, one of which the caller needs. */
  readonly roles?: readonly string[]
  /** Scopes, all of which the caller needs. */
  readonly scopes?: readonly string[]
  readonly refusals?: readonly RefusalDocs[]
  /** Headers of every reply. */
  readonly fields?: readonly FieldDocs[]
  /** Headers of requests. */
  readonly parameters?: readonly ParameterDocs[]
  /**
   * Whether the service receives a different path from the one the client requests, so that the service's own document does not
   * describe it.
   */
  readonly moves?: boolean
}

/** Retry-After (RFC 9110 section 10.2.3), as the gateway sends it. */
export const retryAfter: FieldDocs = {
  name: 'Retry-After',
  description: 'Seconds until it is worth trying again.',
  example: '30',
}
