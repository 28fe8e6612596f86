import type { X509Certificate } from 'node:crypto'

/** Where a name ends: at a comma that is outside of quotes. */
const ENTRY = /(DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g

/** The DNS names and IP addresses that a certificate is for: names in lower case, addresses in their shortest form. */
export function certificateNames({ subjectAltName }: X509Certificate): string[] {
  return [...(subjectAltName ?? '').matchAll(ENTRY)].flatMap(([, kind, name = '']) => {
    // Node quotes what might be taken for something else: no name that anybody could ask for.
    if (name.startsWith('"')) return []
    return [kind === 'DNS' ? name.toLowerCase() : shortest(name)]
  })
}

/** Node writes IPv6 addresses with all of their zeros. */
function shortest(address: string): string {
  return URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? address
}
