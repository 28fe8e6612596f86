import { ipBytes } from '../../core/ip-bytes.ts'
import { implicit, objectIdentifier, sequence, setOf, utf8String } from './der.ts'

/** Subject or issuer of a certificate (RFC 5280 section 4.1.2.6). */
export interface Subject {
  readonly commonName?: string
  readonly organization?: string
  readonly unit?: string
}

const ATTRIBUTES = { organization: '2.5.4.10', unit: '2.5.4.11', commonName: '2.5.4.3' } as const

/** The distinguished name of a subject. */
export function distinguishedName({ organization, unit, commonName }: Subject): Buffer {
  const attributes = [
    [ATTRIBUTES.organization, organization],
    [ATTRIBUTES.unit, unit],
    [ATTRIBUTES.commonName, commonName],
  ] as const
  const written = attributes.flatMap(([type, value]) =>
    value === undefined ? [] : [setOf(sequence(objectIdentifier(type), utf8String(value)))],
  )
  return sequence(...written)
}

/**
 * The names of a subjectAltName (RFC 5280 section 4.2.1.6): each is an IP address, a URI (contains "://"), an email address (contains "@")
 * or otherwise a DNS name. Throws a TypeError for anything else: DNS names must be in their ASCII form.
 */
export function generalNames(names: readonly string[]): Buffer {
  return sequence(...names.map(generalName))
}

function generalName(name: string): Buffer {
  const address = ipBytes(name)
  if (address !== null) return implicit(7, address)
  const kind = kindOf(name)
  if (kind === null) throw new TypeError(`"${name}" is not allowed in a certificate: expected an ASCII name or address`)
  return implicit(kind, Buffer.from(name))
}

/** The tag of a name: uniformResourceIdentifier, rfc822Name or dNSName. */
function kindOf(name: string): number | null {
  if (!/^[\x21-\x7e]+$/.test(name)) return null
  if (name.includes('://')) return 6
  if (name.includes('@')) return 1
  return /^[\w.*-]+$/.test(name) ? 2 : null
}
