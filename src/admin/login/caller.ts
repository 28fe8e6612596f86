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

/** How a caller has proved who it is; "machine" where nobody has to. */
export const proofs = ['session', 'token', 'machine'] as const

/** Whoever asks the admin API. */
export interface Caller {
  /** Of a user; null for whoever has the token, or is on this machine where nobody has to prove anything. */
  readonly name: string | null
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
export function callerFields(caller: Caller | null): { readonly operator: string | null; readonly by: string | null } {
  return { operator: caller?.name ?? null, by: caller?.by ?? null }
}
