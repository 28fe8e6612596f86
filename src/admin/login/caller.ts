import type { FastifyContextConfig } from 'fastify'
import type { OperatorProof } from '../../core/operator-proof.ts'
import type { OperatorRole } from '../../core/operator-role.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The authenticated caller; null if there is none, which is enough for the console's files and for logging in. */
    operator: Caller | null
  }
  interface FastifyContextConfig {
    /** The role that the endpoint needs. Default: viewer if it only reads, otherwise admin. */
    readonly role?: OperatorRole
    /** Whether it changes nothing, whatever its method, so that it is not logged as a change. */
    readonly readsOnly?: boolean
  }
}

/** The caller of the admin API. */
export interface Caller {
  /** Name of the user; null for the token, and for callers on this machine if no login is required. */
  readonly name: string | null
  /** The user's identifier at the provider (the claim `sub`); null for all other callers. */
  readonly subject: string | null
  readonly by: OperatorProof
  readonly role: OperatorRole
  /** Whether the caller is still authenticated: sessions end. */
  readonly isValid: () => boolean
}

/** Methods that change nothing. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether a method only reads. */
export function isSafe(method: string): boolean {
  return SAFE.has(method)
}

/** The role that an endpoint needs. */
export function neededRole(method: string, config: Pick<FastifyContextConfig, 'role'> | undefined): OperatorRole {
  return config?.role ?? (isSafe(method) ? 'viewer' : 'admin')
}

/** The fields of the log that identify the caller. */
interface CallerFields {
  readonly operator: string | null
  readonly by: OperatorProof | null
  readonly subject?: string
}

/** The caller, for the log. */
export function callerFields(caller: Pick<Caller, 'name' | 'by' | 'subject'> | null): CallerFields {
  const fields = { operator: caller?.name ?? null, by: caller?.by ?? null }
  // Names at a provider can change, and are not unique.
  return typeof caller?.subject === 'string' ? { ...fields, subject: caller.subject } : fields
}
