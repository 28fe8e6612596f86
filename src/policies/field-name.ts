import { z } from 'zod'
import { isToken, isWireField } from '../core/field.ts'

/** Schema of a header name that a policy may read, set or remove: a token, but not one of the headers managed by the wire layer. */
export const fieldName = z
  .string()
  .refine(isToken, {
    error: (issue) => `${JSON.stringify(issue.input)} is not a header name: use letters, digits and hyphens`,
  })
  .refine((name) => !isWireField(name), {
    error: ({ input }) =>
      `${JSON.stringify(input)} belongs to the connection and the framing of messages; the gateway sets it itself${isHost(input) ? ', as "host" of the service or "rewrite.host" of the route says' : ''}`,
  })

/** For a map with such names as keys: an invalid name is reported with its own message instead of "Invalid key in record". */
export function keyMessage(issue: z.core.$ZodRawIssue): string | undefined {
  return issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined
}

function isHost(name: unknown): boolean {
  return String(name).toLowerCase() === 'host'
}
