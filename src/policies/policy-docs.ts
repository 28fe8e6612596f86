import type { ErrorCode } from '../core/errors.ts'

/** An object of an OpenAPI document. */
export type DocsObject = Readonly<Record<string, unknown>>

/** An operation as far as it decides what a policy means to it. */
export interface DocumentedOperation {
  /** In upper case. */
  readonly method: string
  /** A path that it answers, in its normal form. */
  readonly path: string
}

/** A way to prove who calls. */
export interface ProofDocs {
  /** Names the scheme in the document. */
  readonly name: string
  /** The Security Scheme Object (OpenAPI 3.1.1 section 4.8.27). */
  readonly scheme: DocsObject
}

/** A header field of replies. */
export interface FieldDocs {
  readonly name: string
  /** One sentence. */
  readonly description: string
  readonly example: string
}

/** A header field of requests that a policy looks at. */
export interface ParameterDocs extends FieldDocs {
  readonly required: boolean
  /** Characters at most. */
  readonly longest: number
}

/** An error that a policy answers with itself. */
export interface RefusalDocs {
  readonly code: ErrorCode
  /** When it is answered, in one sentence. */
  readonly description: string
  /** Fields that come with it. */
  readonly fields?: readonly FieldDocs[]
}

/** What a policy means to whoever calls an operation. */
export interface PolicyDocs {
  /** Proofs of which one is needed; none of them where the operation is public. Left out where the policy asks for none. */
  readonly proofs?: readonly ProofDocs[]
  /** Roles of which the caller needs one. */
  readonly roles?: readonly string[]
  /** Scopes all of which the caller needs. */
  readonly scopes?: readonly string[]
  readonly refusals?: readonly RefusalDocs[]
  /** Fields of every reply. */
  readonly fields?: readonly FieldDocs[]
  /** Fields of requests. */
  readonly parameters?: readonly ParameterDocs[]
  /** Whether the service is asked for another path than the client asks for, so that its own document does not tell. */
  readonly moves?: boolean
}

/** Retry-After (RFC 9110 section 10.2.3), as the gateway sends it. */
export const retryAfter: FieldDocs = {
  name: 'Retry-After',
  description: 'Seconds until it is worth trying again.',
  example: '30',
}
