import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { certificateNames } from '../tls/certificate-names.ts'
import { parseJson } from '../core/parse-json.ts'
import { AcmeError } from './acme-error.ts'

const recordSchema = z.object({
  /** URL of the directory of the issuing CA. */
  directory: z.string(),
  /** The certificate and its chain, PEM. */
  cert: z.string(),
  /** Its private key, PEM. */
  key: z.string(),
  /** When it was issued, in wall-clock milliseconds. */
  issued: z.number(),
})

/** A certificate as stored. */
export type CertificateRecord = z.output<typeof recordSchema>

/** An issued certificate, with the data that determines its renewal. */
export interface IssuedCertificate extends CertificateRecord {
  readonly leaf: X509Certificate
  /** Wall-clock milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
}

/** Parses a record and its certificate; null if it is invalid. */
export function readRecord(text: string): IssuedCertificate | null {
  const { success, data } = recordSchema.safeParse(parseJson(text))
  if (!success) return null
  try {
    const leaf = new X509Certificate(data.cert)
    // A pair that OpenSSL rejects must not reach the listeners.
    createSecureContext({ cert: data.cert, key: data.key })
    return { ...data, leaf, notBefore: leaf.validFromDate.getTime(), notAfter: leaf.validToDate.getTime() }
  } catch {
    return null
  }
}

/**
 * Throws an AcmeError if a CA should not have issued this certificate for that name: if it were stored, it would be due for renewal
 * immediately, again and again.
 */
export function checkIssued(record: CertificateRecord, name: string): void {
  const read = readRecord(JSON.stringify(record))
  if (read === null) throw new AcmeError('the certificate that the CA issued does not match the key it was ordered for')
  if (!certificateNames(read.leaf).includes(name))
    throw new AcmeError(`the certificate that the CA issued is not for ${name}`)
  if (read.notAfter <= record.issued)
    throw new AcmeError('the certificate that the CA issued has expired: check the clock of this machine')
}
