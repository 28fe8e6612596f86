import { z } from 'zod'
import { readChain, readKey } from './key-pair.ts'

/** PEM text, and the file it was read from: null if it is inline in the configuration. */
export interface Pem {
  readonly text: string
  readonly file: string | null
}

function isWritten(value: unknown): value is string | Pem {
  return (
    typeof value === 'string' || (typeof value === 'object' && value !== null && 'text' in value && 'file' in value)
  )
}

function pemSchema(expected: string, problemOf: (text: string) => string | null) {
  return z
    .custom<string | Pem>(isWritten, expected)
    .superRefine((written, context) => {
      const problem = problemOf(typeof written === 'string' ? written : written.text)
      if (problem !== null) context.addIssue({ code: 'custom', message: problem, input: '[redacted]' })
    })
    .transform((written): Pem => (typeof written === 'string' ? { text: written, file: null } : written))
    .meta({ type: 'string' })
}

/** Schema of certificates: file names in the configuration are replaced with the content of the files. */
export const certificateFile = pemSchema('expected a file with certificates in PEM', (text) => readChain(text).problem)

/** Schema of a private key; file names are replaced as well. */
export const privateKeyFile = pemSchema('expected a file with a private key in PEM', (text) => readKey(text).problem)

/** Schema of certificates that are read once: only their text is kept. */
export const certificates = certificateFile.transform(({ text }) => text).meta({ type: 'string' })
