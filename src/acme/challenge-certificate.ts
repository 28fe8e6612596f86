import { generateKeyPairSync } from 'node:crypto'
import { createCertificate } from '../tls/x509/certificate.ts'
import { octetString } from '../tls/x509/der.ts'
import { type Challenge, digestOf } from './challenge.ts'

/** The protocol offered by a CA that validates tls-alpn-01 (RFC 8737 section 6.2). */
export const ACME_TLS = 'acme-tls/1'

/** acmeIdentifier (RFC 8737 section 3). */
const IDENTIFIER = '1.3.6.1.5.5.7.1.31'
const HOUR = 3_600_000

/** Creates the certificate that answers tls-alpn-01 (RFC 8737 section 3), and its key, PEM; `now` is wall-clock milliseconds. */
export function challengeCertificate(challenge: Challenge, now: number): { cert: string; key: string } {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = { commonName: 'ACME challenge' }
  const cert = createCertificate({
    subject,
    key,
    issuer: { subject, key },
    names: [challenge.domain],
    // The CA's clock may differ.
    notBefore: now - 24 * HOUR,
    notAfter: now + 24 * HOUR,
    extensions: [{ id: IDENTIFIER, critical: true, value: octetString(digestOf(challenge)) }],
  })
  return { cert, key: key.export({ type: 'pkcs8', format: 'pem' }) }
}
