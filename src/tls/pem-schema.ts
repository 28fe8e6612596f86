import { z } from 'zod'
import { readChain, readKey } from './key-pair.ts'

/** Schema of certificates: where the configuration may name a file, what it holds is put in place of its name. */
export const certificates = z.string('expected a file with certificates in PEM').superRefine((text, context) => {
  const { problem } = readChain(text)
  if (problem !== null) context.addIssue({ code: 'custom', message: problem, input: '[redacted]' })
})

/** Schema of a private key, likewise. */
export const privateKey = z.string('expected a file with a private key in PEM').superRefine((text, context) => {
  const { problem } = readKey(text)
  if (problem !== null) context.addIssue({ code: 'custom', message: problem, input: '[redacted]' })
})
