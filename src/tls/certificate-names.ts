import type { X509Certificate } from 'node:crypto'

/** Where a name ends: at a comma that is outside of quotes. */
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g

/** The DNS names and IP addresses that a certificate is for: names in lower case, addresses in their shortest form. */
export function certificateNames(certificate: X509Certificate): string[] {
  return entriesOf(certificate).flatMap(([kind, name]) => {
    if (kind === 'DNS') return [name.toLowerCase()]
    return kind === 'IP Address' ? [shortest(name)] : []
  })
}

/** The alternative names of one kind, in their order. */
export function alternativeNames(certificate: X509Certificate, wanted: 'DNS' | 'URI' | 'email'): string[] {
  return entriesOf(certificate).flatMap(([kind, name]) => (kind === wanted ? [name] : []))
}

/** Kind and value of each name. Node quotes what might be taken for something else: no name that anybody could ask for. */
function entriesOf({ subjectAltName }: X509Certificate): (readonly [kind: string, name: string])[] {
  return [...(subjectAltName ?? '').matchAll(ENTRY)].flatMap(([, kind = '', name = '']) =>
    name.startsWith('"') ? [] : [[kind, name] as const],
  )
}

/** Node writes IPv6 addresses with all of their zeros. */
function shortest(address: string): string {
  return URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? address
}
