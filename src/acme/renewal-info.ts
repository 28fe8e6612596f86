import type { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { retryAfter } from './retry-after.ts'
import type { Session } from './session.ts'

/** How soon and how late a CA may be asked again, in milliseconds (RFC 9773 section 4.3.2), and when it does not say. */
const SOONEST = 60_000
const LATEST = 24 * 3600_000
const USUAL = 6 * 3600_000

/** The octets of the object identifier of authorityKeyIdentifier, 2.5.29.35, with its tag. */
const AUTHORITY_KEY = Buffer.from('0603551d23', 'hex')
const OCTET_STRING = 0x04
const SEQUENCE = 0x30
const KEY_IDENTIFIER = 0x80

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))

const infoSchema = z.object({ suggestedWindow: z.object({ start: instant, end: instant }) })

/** When a CA would like a certificate to be renewed. */
export interface RenewalInfo {
  /** Wall-clock milliseconds. */
  readonly start: number
  readonly end: number
  /** Milliseconds until it may be asked again. */
  readonly again: number
}

/** What the CA suggests for the certificate; null where it suggests nothing to anybody. Rejects with an AcmeError. */
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

/** What a certificate is called by its CA (RFC 9773 section 4.1): its authority key identifier and its serial number; null where it has no such identifier. */
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

/** What is in the value at the beginning, if it has that tag; none of those here is longer than 127 octets, nor than 255 with the issuer's name. */
function content(der: Buffer, tag: number): Buffer | null {
  if (der[0] !== tag) return null
  const [, first = 0, second = 0] = der
  const [start, length] = first === 0x81 ? [3, second] : [2, first]
  const end = start + length
  return end > der.length || first > 0x81 ? null : der.subarray(start, end)
}
