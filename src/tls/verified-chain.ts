import type { X509Certificate } from 'node:crypto'

/** Maximum number of certificates that a client may send in addition to its own. */
const MAX_SENT = 10

/**
 * The chain of authorities from a certificate to one of the roots, excluding the root; each has signed the one before. `known` contains the
 * roots and other trusted certificates; `sent` is untrusted input from the peer and is only used where it leads to a root. Empty if there
 * is no such chain.
 */
export function verifiedChain(
  leaf: X509Certificate,
  sent: readonly X509Certificate[],
  known: readonly X509Certificate[],
): X509Certificate[] {
  const roots = known.filter(({ subject, issuer }) => subject === issuer)
  // Each is tried once: if it leads to no root from one certificate, it does not from another.
  const left = new Set([...known, ...sent.slice(0, MAX_SENT)])
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
