import type { ClientCertificate } from '../http/client-certificate.ts'
import { knownLine } from '../http/field-lines.ts'
import { NameSet } from '../http/name-set.ts'

/**
 * The forms in which services may receive a client's certificate: RFC 9440, the fields usually set with nginx, and
 * Envoy's.
 */
export type CertificateForm = 'client-cert' | 'x-ssl-client' | 'x-forwarded-client-cert'

/** All fields of these forms. */
export const CERTIFICATE_FIELDS = new NameSet([
  'Client-Cert',
  'Client-Cert-Chain',
  'X-SSL-Client-Verify',
  'X-SSL-Client-S-DN',
  'X-SSL-Client-I-DN',
  'X-SSL-Client-Serial',
  'X-SSL-Client-Cert',
  'X-Forwarded-Client-Cert',
])

/** Field lines that describe the certificate to services. */
export function certificateFields(certificate: ClientCertificate, forms: readonly CertificateForm[]): string {
  return forms.map((form) => FORMS[form](certificate)).join('')
}

const FORMS: Readonly<Record<CertificateForm, (certificate: ClientCertificate) => string>> = {
  // RFC 9440 section 2: byte sequences of RFC 8941.
  'client-cert': ({ der, chain }) => {
    const own = knownLine('Client-Cert', `:${der}:`)
    if (chain.length === 0) return own
    return own + knownLine('Client-Cert-Chain', chain.map((each) => `:${each}:`).join(', '))
  },
  'x-ssl-client': ({ subject, issuer, serial, der }) =>
    knownLine('X-SSL-Client-Verify', 'SUCCESS') +
    knownLine('X-SSL-Client-S-DN', visible(subject)) +
    knownLine('X-SSL-Client-I-DN', visible(issuer)) +
    knownLine('X-SSL-Client-Serial', serial) +
    knownLine('X-SSL-Client-Cert', encodeURIComponent(pemOf(der))),
  'x-forwarded-client-cert': ({ fingerprint, subject, names }) => {
    const pairs = [
      ['Hash', fingerprint],
      ['Subject', quoted(subject)],
      ...names.uri.map((uri) => ['URI', quoted(uri)]),
      ...names.dns.map((dns) => ['DNS', quoted(dns)]),
    ]
    return knownLine('X-Forwarded-Client-Cert', pairs.map((pair) => pair.join('=')).join(';'))
  },
}

/**
 * A distinguished name in visible ASCII: RFC 4514 section 2.4 allows any byte of its UTF-8 as two hexadecimal digits.
 */
function visible(name: string): string {
  return name.replace(/[^\x20-\x7e]+/g, (characters) =>
    Array.from(Buffer.from(characters), (byte) => `\\${byte.toString(16).padStart(2, '0')}`).join(''),
  )
}

function quoted(value: string): string {
  return `"${visible(value).replace(/["\\]/g, String.raw`\$&`)}"`
}

function pemOf(der: string): string {
  return `-----BEGIN CERTIFICATE-----\n${der.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`
}
