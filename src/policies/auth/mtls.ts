import { z } from 'zod'
import { oneOrMore } from '../../core/one-or-more.ts'
import type { ClientCertificate } from '../../http/client-certificate.ts'
import { consumerRoles, consumerTier } from './consumer-options.ts'
import { CredentialError } from './credential-error.ts'
import { type Identity, identityOf } from './identity.ts'
import { defineAuthMethod } from './method.ts'

const ids = ['commonName', 'subject', 'dns', 'uri', 'email', 'fingerprint'] as const

const text = oneOrMore(z.string().min(1))

const fingerprintExpected = 'expected the SHA-256 of a certificate: 64 hexadecimal digits, with colons or without'

const fingerprint = z
  .string(fingerprintExpected)
  .transform((written) => written.replaceAll(':', '').toLowerCase())
  .refine((digits) => /^[0-9a-f]{64}$/.test(digits), fingerprintExpected)

const matchSchema = z
  .strictObject({
    subject: text
      .optional()
      .describe('Distinguished name in the notation of RFC 4514: CN=orders,O=Example.')
      .meta({ examples: ['CN=orders,O=Example'] }),
    commonName: text
      .optional()
      .describe('Common name of the subject.')
      .meta({ examples: ['orders'] }),
    dns: text
      .optional()
      .describe('One of the DNS names.')
      .meta({ examples: ['orders.internal'] }),
    uri: text
      .optional()
      .describe('One of the URIs, such as spiffe://example.org/orders; a trailing "*" matches any rest.')
      .meta({ examples: ['spiffe://example.org/orders'] }),
    email: text
      .optional()
      .describe('One of the email addresses.')
      .meta({ examples: ['orders@example.com'] }),
    fingerprint: oneOrMore(fingerprint)
      .optional()
      .describe('SHA-256 fingerprint of the certificate, in hexadecimal.')
      .meta({ examples: ['f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2'] }),
    issuer: text
      .optional()
      .describe('Distinguished name of the issuer, in the notation of RFC 4514.')
      .meta({ examples: ['CN=Example CA,O=Example'] }),
    listener: text
      .optional()
      .describe('Address of the listener, as under `listeners`, on which the certificate must have been presented.')
      .meta({ examples: ['0.0.0.0:8443'] }),
  })
  .refine((match) => Object.values(match).some((value) => value !== undefined), {
    error: 'is empty; expected one of subject, commonName, dns, uri, email, fingerprint, issuer and listener',
  })

const ruleSchema = z.strictObject({
  match: matchSchema.describe('Required properties of the certificate; of several values one must match.'),
  consumer: z
    .string()
    .min(1)
    .optional()
    .describe('ID of the consumer: X-User-ID. Default the part of the certificate that `id` selects.')
    .meta({ examples: ['orders'] }),
  roles: consumerRoles,
  tier: consumerTier('authenticated'),
})

type Rule = z.output<typeof ruleSchema>

/** Certificates that clients present on listeners with `tls.clientCertificates`. */
export const mtls = defineAuthMethod({
  name: 'mtls',
  kind: 'certificate',
  summary: 'Client certificates, on listeners that ask for them.',
  options: z.strictObject({
    id: z
      .enum(ids)
      .default('commonName')
      .describe(
        "Part of the certificate that becomes the consumer's ID, unless a rule sets it: commonName, subject, fingerprint, or the first of its dns, uri or email names. Default commonName.",
      ),
    rules: ruleSchema
      .array()
      .min(1)
      .optional()
      .describe(
        'Rules that map certificates to consumers: the first match decides; certificates that match none are refused. Default: any certificate that the listener accepts, without roles, in the tier authenticated.',
      )
      .meta({ examples: [[{ match: { dns: 'orders.internal' }, consumer: 'orders', roles: ['service'] }]] }),
  }),
  document: () => [{ name: 'mutualTls', scheme: { type: 'mutualTLS' } }],
  create({ id, rules }, { clock }) {
    const compiled = rules?.map((rule) => ({ rule, fits: compileMatch(rule.match) })) ?? null
    const known = new WeakMap<ClientCertificate, Identity>()

    function identify(certificate: ClientCertificate): Identity {
      const rule = compiled === null ? null : compiled.find(({ fits }) => fits(certificate))?.rule
      if (rule === undefined) throw new CredentialError('certificate')
      const name = rule?.consumer ?? nameOf(certificate, id)
      if (name === null || name === '') throw new CredentialError('nameless')
      const { roles = [], tier = 'authenticated' } = rule ?? {}
      return identityOf({ id: name, roles, scopes: [], tier, key: null, claims: {} })
    }

    return {
      authenticate({ client }) {
        const { certificate } = client
        if (certificate === null) return null
        // The handshake checked this, but perhaps long ago.
        if (certificate.notAfter <= clock.wall()) throw new CredentialError('expired-certificate')
        const found = known.get(certificate)
        if (found !== undefined) return found
        const identity = identify(certificate)
        known.set(certificate, identity)
        return identity
      },
      conceal() {},
    }
  },
})

function nameOf(certificate: ClientCertificate, id: (typeof ids)[number]): string | null {
  if (id === 'dns' || id === 'uri' || id === 'email') return certificate.names[id][0] ?? null
  return certificate[id]
}

function compileMatch(match: Rule['match']): (certificate: ClientCertificate) => boolean {
  const { subject, commonName, dns, uri, email, fingerprint: digest, issuer, listener } = match
  const [exact, beginnings] = [uri?.filter((each) => !each.endsWith('*')), uri?.filter((each) => each.endsWith('*'))]
  const names = dns?.map((name) => name.toLowerCase())
  const isUri = (name: string): boolean =>
    exact?.includes(name) === true || beginnings?.some((each) => name.startsWith(each.slice(0, -1))) === true
  return (certificate) =>
    (subject?.includes(certificate.subject) ?? true) &&
    (commonName === undefined || (certificate.commonName !== null && commonName.includes(certificate.commonName))) &&
    (names === undefined || certificate.names.dns.some((name) => names.includes(name))) &&
    (uri === undefined || certificate.names.uri.some(isUri)) &&
    (email === undefined || certificate.names.email.some((name) => email.includes(name))) &&
    (digest?.includes(certificate.fingerprint) ?? true) &&
    (issuer?.includes(certificate.issuer) ?? true) &&
    (listener?.includes(certificate.listener) ?? true)
}
