import type { FastifyContextConfig } from 'fastify'
import type { OperatorRole } from '../../core/operator-role.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends it; null where nobody has proved anything, which is enough for the console's files and for logging in. */
    operator: Caller | null
  }
  interface FastifyContextConfig {
    /** The role that the endpoint needs: viewer by default for what only reads, admin for everything else. */
    readonly role?: OperatorRole
    /** Whether it changes nothing, whatever its method: it is no change to log. */
    readonly readsOnly?: boolean
  }
}

/** How a caller has proved who it is: "session" with a password, "oidc" at the provider; "machine" where nobody has to. */
export const proofs = ['session', 'oidc', 'token', 'machine'] as const

/** Whoever asks the admin API. */
export interface Caller {
  /** Of a user; null for whoever has the token, or is on this machine where nobody has to prove anything. */
  readonly name: string | null
  /** What the provider knows a user by; null for everybody else. */
  readonly subject: string | null
  readonly by: (typeof proofs)[number]
  readonly role: OperatorRole
  /** Whether that is still so: sessions end. */
  readonly holds: () => boolean
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

/** Who it is, as the log says it. */
interface CallerFields {
  readonly operator: string | null
  readonly by: string | null
  readonly subject?: string
}

/** Says who it is in a line of the log. */
export function callerFields(caller: Pick<Caller, 'name' | 'by' | 'subject'> | null): CallerFields {
  const fields = { operator: caller?.name ?? null, by: caller?.by ?? null }
  // At a provider names may change, and several people may have one.
  return typeof caller?.subject === 'string' ? { ...fields, subject: caller.subject } : fields
}
