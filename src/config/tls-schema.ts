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

const clientCertificatesSchema = z.strictObject({
  mode: z
    .enum(['required', 'wanted'])
    .default('required')
    .describe(
      'required: no connection without a certificate that is good. wanted: clients without one are let in, those with a bad ' +
        'one are not. Default required.',
    ),
  ca: z
    .string()
    .min(1)
    .describe('File with the certificates, as PEM, of the authorities whose certificates are good, up to their roots.'),
  crl: z
    .string()
    .min(1)
    .optional()
    .describe('File with a revocation list, as PEM, of each of those authorities. Default none: nothing is revoked.'),
  forward: z
    .enum(['client-cert', 'x-ssl-client', 'x-forwarded-client-cert'])
    .array()
    .default([])
    .describe(
      'Fields in which services are told of the certificate: client-cert for Client-Cert and Client-Cert-Chain (RFC 9440), ' +
        'x-ssl-client for X-SSL-Client-Verify, -S-DN, -I-DN, -Serial and -Cert, x-forwarded-client-cert for ' +
        'X-Forwarded-Client-Cert. Whatever a client sends of the kind is dropped. Default none.',
    ),
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
    clientCertificates: clientCertificatesSchema
      .optional()
      .describe('Clients are asked for certificates. Default: they are not.'),
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
