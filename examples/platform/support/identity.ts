import type { IncomingHttpHeaders } from 'node:http'
import { anonymous } from './endpoint.ts'
import type { Caller } from './endpoint.ts'
import type { Claims } from './jwt.ts'
import { unauthorized } from './problem.ts'

/** Finds out who calls; throws a Problem with 401 when the token is not valid. */
export type Identify = (headers: IncomingHttpHeaders) => Caller

/**
 * Takes the gateway's word, X-User-ID and X-User-Roles, and without it the bearer token.
 * Only the gateway may be able to reach a service that believes these headers.
 */
export function createIdentify(verify: (token: string) => Claims | undefined): Identify {
  return (headers) => {
    const id = single(headers['x-user-id'])
    if (id !== '') return { id, roles: words(single(headers['x-user-roles'])) }
    const token = bearerToken(headers)
    if (token === undefined) return anonymous
    const claims = verify(token)
    if (!claims) throw unauthorized('The token is not valid: it may have expired or been revoked.')
    return { id: claims.sub, roles: claims.roles }
  }
}

/** The token of an Authorization header with the scheme Bearer (RFC 6750 section 2.1). */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
}

function single(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : ''
}

function words(list: string): string[] {
  return list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}
