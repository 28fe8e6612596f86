import { z } from 'zod'
import { oneOrMore } from '../core/one-or-more.ts'
import { SECRET_LENGTH } from '../core/secrets.ts'
import type { Finding } from './issues.ts'
import type { Path } from './problems.ts'
import { fieldOf } from '../core/value.ts'

const expected = `expected text of at least ${SECRET_LENGTH} octets, as "openssl rand -base64 32" makes it`

const secretSchema = z.string(expected).superRefine((text, context) => {
  // Not shown, as it is a secret.
  if (Buffer.byteLength(text) < SECRET_LENGTH)
    context.addIssue({ code: 'custom', message: expected, input: '[redacted]' })
})

/** Schema of the secrets that keys are derived from. */
export const secretsSchema = oneOrMore(secretSchema)

/** The problem of a part of the configuration that needs `secrets`, said as "session tickets" are, where there are none. */
export function checkSecrets(config: unknown, path: Path, what: string): Finding[] {
  if (fieldOf(config, 'secrets') !== undefined) return []
  const message = `${what} need "secrets" at the top level of the configuration; expected a text of at least ${SECRET_LENGTH} octets there`
  return [{ path, isKey: false, message }]
}
