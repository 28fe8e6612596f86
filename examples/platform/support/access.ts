import type { IncomingHttpHeaders } from 'node:http'
import type { Claims } from './jwt.ts'
import { Problem, unauthorized } from './problem.ts'

/** Who calls. */
export interface Caller {
  readonly id: string
  readonly roles: readonly string[]
}

/** Who may call: anyone, any user, another service or an admin, an admin. */
export type Access = 'public' | 'user' | 'service' | 'admin'

/** The claims of a token that is valid. */
export type Verify = (token: string) => Promise<Claims | undefined>

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call; a user when it is missing. */
    access?: Access
  }
  interface FastifyRequest {
    /** Who calls; nobody on public routes. */
    caller: Caller
  }
}

const nobody: Caller = { id: '', roles: [] }

/**
 * Who calls, if they may. Public routes do not look at the token: logging in works while an expired one is still being
 * sent. Throws a Problem with 401 or 403.
 */
export async function admit(access: Access, headers: IncomingHttpHeaders, verify: Verify): Promise<Caller> {
  if (access === 'public') return nobody
  const caller = await identify(headers, verify)
  if (access === 'user' || isAdmin(caller) || caller.roles.includes(access)) return caller
  throw new Problem(403, `This needs the role ${access}.`)
}

/**
 * Takes the gateway's word, X-User-ID and X-User-Roles, and without it the bearer token.
 * Only the gateway may be able to reach a service that believes these headers.
 */
async function identify(headers: IncomingHttpHeaders, verify: Verify): Promise<Caller> {
  const { 'x-user-id': id, 'x-user-roles': roles = '' } = headers
  if (typeof id === 'string' && id !== '') return { id, roles: String(roles).split(/[\s,]+/) }
  const token = bearerToken(headers)
  if (token === undefined) throw unauthorized('Log in first: this needs a user.')
  const claims = await verify(token)
  if (!claims) throw unauthorized('The token is not valid: it may have expired or been revoked.')
  return { id: claims.sub, roles: claims.roles }
}

/** The token of an Authorization header with the scheme Bearer (RFC 6750 section 2.1). */
export function bearerToken({ authorization = '' }: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1]
}

/** Whether the caller may do everything. */
export function isAdmin(caller: Caller): boolean {
  return caller.roles.includes('admin')
}

/** Whether the caller may do what only the owner or an admin may. */
export function ownsOrAdmin(caller: Caller, ownerId: string): boolean {
  return caller.id === ownerId || isAdmin(caller)
}
