import { z } from 'zod'
import type { Consumer } from '../../http/exchange.ts'

/** RFC 6749 section 3.3: what a scope is made of; it stands in a WWW-Authenticate field. */
const scope = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'expected a scope: printable ASCII without spaces, quotes and backslashes')

/** Schema of what a caller must have. */
export const requirement = z.strictObject({
  roles: z.string().min(1).array().default([]).describe('Roles of which the caller needs one. Default none.'),
  scopes: scope.array().default([]).describe('Scopes all of which the token needs. Default none.'),
})

/** What a caller does not have. */
export interface Lacking {
  /** For the client. */
  readonly message: string
  /** The scopes that are required; empty where it is a role that is missing. */
  readonly scopes: readonly string[]
}

/** What a consumer lacks, or null where it lacks nothing. Null in place of the function where nothing is required. */
export function compileRequirement({
  roles,
  scopes,
}: z.output<typeof requirement>): ((consumer: Consumer) => Lacking | null) | null {
  if (roles.length === 0 && scopes.length === 0) return null
  const role: Lacking = { message: 'The caller has no role that is allowed here', scopes: [] }
  const missingScope: Lacking = { message: 'The token was not granted what is needed here', scopes }
  return (consumer) => {
    if (roles.length > 0 && !roles.some((name) => consumer.roles.includes(name))) return role
    return scopes.every((name) => consumer.scopes.includes(name)) ? null : missingScope
  }
}
