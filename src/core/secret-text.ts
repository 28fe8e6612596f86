import { z } from 'zod'
import { SECRET_LENGTH } from './secrets.ts'

const expected = `expected at least ${SECRET_LENGTH} bytes, for example from "openssl rand -base64 32"`

/** Schema of a secret that keys are derived from. */
export const secretText = z.string(expected).superRefine((text, context) => {
  // Redacted, as it is a secret.
  if (Buffer.byteLength(text) < SECRET_LENGTH)
    context.addIssue({ code: 'custom', message: expected, input: '[redacted]' })
})
