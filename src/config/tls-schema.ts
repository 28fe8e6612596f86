import { createSecureContext } from 'node:tls'
import { z } from 'zod'

const ciphersExpected =
  'expected ciphers that OpenSSL knows, such as "TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES256-GCM-SHA384"'

const certificateSchema = z.strictObject({
  cert: z
    .string()
    .min(1)
    .describe('File with the certificate and those between it and its root, the own one first, as PEM.'),
  key: z.string().min(1).describe('File with its private key, as PEM, without a passphrase.'),
})

/** Schema of how a listener speaks TLS. */
export const tlsSchema = z.strictObject({
  certificates: certificateSchema
    .array()
    .min(1)
    .describe('Certificates, chosen by the name that a client asks for; the first one where none fits.'),
  minVersion: z
    .enum(['1.2', '1.3'])
    .default('1.2')
    .describe('The lowest version of TLS that is spoken: "1.2" or "1.3". Default "1.2".'),
  ciphers: z
    .string(ciphersExpected)
    .refine(areCiphers, ciphersExpected)
    .optional()
    .describe('Ciphers as OpenSSL writes them, the dearest first. Default those with forward secrecy and AEAD.'),
})

function areCiphers(ciphers: string): boolean {
  try {
    createSecureContext({ ciphers })
    return true
  } catch {
    return false
  }
}
