import type { X509Certificate } from 'node:crypto'

/** Certificates beside its own that a client may send: more have no place in a handshake. */
const MOST_SENT = 10

/**
 * The authorities that lead from a certificate to one of the roots, without that, each of which has signed the one before. `known`
 * are the roots, and others that are believed; `sent` is what came with it, and may be anything: it is believed only where it leads to a
 * root. None where nothing leads there.
 */
export function verifiedChain(
  leaf: X509Certificate,
  sent: readonly X509Certificate[],
  known: readonly X509Certificate[],
): X509Certificate[] {
  const roots = known.filter(({ subject, issuer }) => subject === issuer)
  // Each once: what does not lead to a root from one, does not from another.
  const left = new Set([...known, ...sent.slice(0, MOST_SENT)])
  for (const root of roots) left.delete(root)

  const leadFrom = (certificate: X509Certificate): X509Certificate[] | null => {
    if (roots.some((root) => hasSigned(root, certificate))) return []
    for (const authority of left) {
      if (!hasSigned(authority, certificate)) continue
      left.delete(authority)
      const rest = leadFrom(authority)
      if (rest !== null) return [authority, ...rest]
    }
    return null
  }
  return leadFrom(leaf) ?? []
}

function hasSigned(authority: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
}
