import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { acmeSchema } from './acme-schema.ts'

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
export const tlsSchema = z
  .strictObject({
    certificates: certificateSchema
      .array()
      .default([])
      .describe(
        'Certificates, chosen by the name that a client asks for; the first one where none fits. Default none, with `acme`.',
      ),
    acme: acmeSchema
      .optional()
      .describe('Certificates that the gateway gets from a CA itself, and renews. Default none.'),
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
  .superRefine(({ certificates, acme }, context) => {
    if (certificates.length === 0 && acme === undefined)
      context.addIssue({ code: 'custom', message: 'expected certificates, or acme, to show to clients' })
  })

function areCiphers(ciphers: string): boolean {
  try {
    createSecureContext({ ciphers })
    return true
  } catch {
    return false
  }
}
