import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { certificateNames } from '../tls/certificate-names.ts'
import { parseJson } from '../core/parse-json.ts'
import { AcmeError } from './acme-error.ts'

const recordSchema = z.object({
  /** URL of the directory that it is from. */
  directory: z.string(),
  /** The certificate and what leads to its root, PEM. */
  cert: z.string(),
  /** Its private key, PEM. */
  key: z.string(),
  /** When it was issued, in wall-clock milliseconds. */
  issued: z.number(),
})

/** A certificate as it is kept. */
export type CertificateRecord = z.output<typeof recordSchema>

/** A certificate that a CA has issued, with what its renewal depends on. */
export interface IssuedCertificate extends CertificateRecord {
  readonly leaf: X509Certificate
  /** Wall-clock milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
}

/** A record with what its certificate says; null where it is none. */
export function readRecord(text: string): IssuedCertificate | null {
  const { success, data } = recordSchema.safeParse(parseJson(text))
  if (!success) return null
  try {
    const leaf = new X509Certificate(data.cert)
    // What OpenSSL does not take must not get to the listeners.
    createSecureContext({ cert: data.cert, key: data.key })
    return { ...data, leaf, notBefore: leaf.validFromDate.getTime(), notAfter: leaf.validToDate.getTime() }
  } catch {
    return null
  }
}

/**
 * Throws an AcmeError for what a CA should not have issued for that name: were it kept, it would be due at once, and another one
 * ordered, again and again.
 */
export function checkIssued(record: CertificateRecord, name: string): void {
  const read = readRecord(JSON.stringify(record))
  if (read === null) throw new AcmeError('the certificate that the CA issued does not match the key it was ordered for')
  if (!certificateNames(read.leaf).includes(name))
    throw new AcmeError(`the certificate that the CA issued is not for ${name}`)
  if (read.notAfter <= record.issued)
    throw new AcmeError('the certificate that the CA issued has expired: check the clock of this machine')
}
