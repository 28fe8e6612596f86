import type { X509Certificate } from 'node:crypto'

/** A name extends to the next comma outside of quotes. */
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g

/** The DNS names and IP addresses that a certificate is valid for: names in lower case, addresses in their shortest form. */
export function certificateNames(certificate: X509Certificate): string[] {
  return entriesOf(certificate).flatMap(([kind, name]) => {
    if (kind === 'DNS') return [name.toLowerCase()]
    return kind === 'IP Address' ? [shortest(name)] : []
  })
}

/** The alternative names of one kind, in order. */
export function alternativeNames(certificate: X509Certificate, wanted: 'DNS' | 'URI' | 'email'): string[] {
  return entriesOf(certificate).flatMap(([kind, name]) => (kind === wanted ? [name] : []))
}

/** Kind and value of each name. Node quotes ambiguous values, which are never names that a client could request. */
function entriesOf({ subjectAltName }: X509Certificate): (readonly [kind: string, name: string])[] {
  return [...(subjectAltName ?? '').matchAll(ENTRY)].flatMap(([, kind = '', name = '']) =>
    name.startsWith('"') ? [] : [[kind, name] as const],
  )
}

/** Node writes IPv6 addresses without compressing zeros. */
function shortest(address: string): string {
  return URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? address
}
