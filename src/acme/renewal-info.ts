import type { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { retryAfter } from './retry-after.ts'
import type { Session } from './session.ts'

/** Bounds of the polling interval in milliseconds (RFC 9773 section 4.3.2), and its default. */
const SOONEST = 60_000
const LATEST = 24 * 3600_000
const USUAL = 6 * 3600_000

/** The encoded object identifier of authorityKeyIdentifier, 2.5.29.35, including its tag. */
const AUTHORITY_KEY = Buffer.from('0603551d23', 'hex')
const OCTET_STRING = 0x04
const SEQUENCE = 0x30
const KEY_IDENTIFIER = 0x80

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))

const infoSchema = z.object({ suggestedWindow: z.object({ start: instant, end: instant }) })

/** When a CA suggests renewing a certificate. */
export interface RenewalInfo {
  /** Wall-clock milliseconds. */
  readonly start: number
  readonly end: number
  /** Milliseconds until the next request. */
  readonly again: number
}

/** The CA's suggestion for the certificate; null if the CA does not offer renewal information. Rejects with an AcmeError. */
export async function askRenewalInfo(session: Session, leaf: X509Certificate): Promise<RenewalInfo | null> {
  const { renewalInfo } = await session.directory()
  const id = certificateId(leaf)
  if (renewalInfo === undefined || id === null) return null
  const answer = await session.get(`${renewalInfo}/${id}`)
  const { suggestedWindow } = session.read(answer, infoSchema, 'the renewal information')
  const { start, end } = suggestedWindow
  const wanted = retryAfter(answer.retryAfter, session.clock.wall()) ?? USUAL
  return { start, end: Math.max(start, end), again: Math.min(Math.max(wanted, SOONEST), LATEST) }
}

/**
 * The CA's identifier of a certificate (RFC 9773 section 4.1), composed of its authority key identifier and serial number; null if it has
 * no such extension.
 */
export function certificateId({ raw, serialNumber }: X509Certificate): string | null {
  const authority = authorityKeyIdentifier(raw)
  if (authority === null) return null
  const serial = Buffer.from(serialNumber.padStart(serialNumber.length + (serialNumber.length % 2), '0'), 'hex')
  // As in DER, where the first bit is the sign.
  const signed = (serial[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), serial]) : serial
  return `${authority.toString('base64url')}.${signed.toString('base64url')}`
}

function authorityKeyIdentifier(der: Buffer): Buffer | null {
  const found = der.indexOf(AUTHORITY_KEY)
  if (found === -1) return null
  const value = content(der.subarray(found + AUTHORITY_KEY.length), OCTET_STRING)
  const sequence = value === null ? null : content(value, SEQUENCE)
  return sequence === null ? null : content(sequence, KEY_IDENTIFIER)
}

/**
 * The content of the value at the start, if it has that tag. Sufficient here: no value is longer than 127 bytes, or 255 including the
 * issuer's name.
 */
function content(der: Buffer, tag: number): Buffer | null {
  if (der[0] !== tag) return null
  const [, first = 0, second = 0] = der
  const [start, length] = first === 0x81 ? [3, second] : [2, first]
  const end = start + length
  return end > der.length || first > 0x81 ? null : der.subarray(start, end)
}
