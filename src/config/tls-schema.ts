import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { acmeSchema } from './acme-schema.ts'

const ciphersExpected =
  'expected ciphers that OpenSSL knows, such as "TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES256-GCM-SHA384"'

const certificateSchema = z.strictObject({
  cert: z
    .string()
    .min(1)
    .describe('File with the certificate chain in PEM, the leaf first.')
    .meta({ examples: ['./tls/example.com.pem'] }),
  key: z
    .string()
    .min(1)
    .describe('File with the private key in PEM, without a passphrase.')
    .meta({ examples: ['./tls/example.com.key'] }),
})

const clientCertificatesSchema = z.strictObject({
  mode: z
    .enum(['required', 'wanted'])
    .default('required')
    .describe(
      'required: refuse connections without a valid certificate. wanted: accept clients without a certificate, but refuse invalid ones. Default required.',
    ),
  ca: z
    .string()
    .min(1)
    .describe(
      'File with the CA certificates, in PEM, that client certificates are verified against, up to their roots.',
    )
    .meta({ examples: ['./tls/client-ca.pem'] }),
  crl: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with a certificate revocation list (CRL) in PEM from each of those CAs. Default none: nothing is revoked.',
    )
    .meta({ examples: ['./tls/client-ca.crl'] }),
  forward: z
    .enum(['client-cert', 'x-ssl-client', 'x-forwarded-client-cert'])
    .array()
    .default([])
    .describe(
      'Headers that pass the client certificate to services: client-cert for Client-Cert and Client-Cert-Chain (RFC 9440), x-ssl-client for X-SSL-Client-Verify, -S-DN, -I-DN, -Serial and -Cert, x-forwarded-client-cert for X-Forwarded-Client-Cert. Headers of these names that clients send are dropped. Default none.',
    ),
})

/** Schema of the TLS settings of a listener. */
export const tlsSchema = z
  .strictObject({
    certificates: certificateSchema
      .array()
      .default([])
      .describe(
        'Certificates, selected by the server name (SNI) that a client asks for; the first one if none matches. Default none, with `acme`.',
      )
      .meta({ examples: [[{ cert: './tls/example.com.pem', key: './tls/example.com.key' }]] }),
    acme: acmeSchema.optional().describe('Obtain and renew certificates from a CA by ACME. Default none.'),
    minVersion: z
      .enum(['1.2', '1.3'])
      .default('1.2')
      .describe('Lowest TLS version to accept: "1.2" or "1.3". Default "1.2".'),
    ciphers: z
      .string(ciphersExpected)
      .refine(areCiphers, ciphersExpected)
      .optional()
      .describe("Ciphers in OpenSSL's notation, preferred ones first. Default those with forward secrecy and AEAD.")
      .meta({ examples: ['TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES256-GCM-SHA384'] }),
    clientCertificates: clientCertificatesSchema
      .optional()
      .describe('Ask clients for certificates. Default: do not ask.'),
  })
  .superRefine(({ certificates, acme }, context) => {
    if (certificates.length === 0 && acme === undefined)
      context.addIssue({ code: 'custom', message: 'there is no certificate for clients: set "certificates" or "acme"' })
  })

function areCiphers(ciphers: string): boolean {
  try {
    createSecureContext({ ciphers })
    return true
  } catch {
    return false
  }
}
