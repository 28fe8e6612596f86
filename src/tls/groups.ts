import { createSecureContext, DEFAULT_ECDH_CURVE } from 'node:tls'

/**
 * The groups of key exchanges: a hybrid that a quantum computer does not break, and the fast ones. Without those that cost the
 * gateway many times as much (P-521, X448, and finite fields), which a client could choose to keep it busy with.
 */
const GROUPS = 'X25519MLKEM768:X25519:prime256v1:secp384r1'

let found: string | null = null

/** The groups that the OpenSSL of this Node has; its own choice where it lacks one of them. Looked at once, when TLS is needed. */
export function groups(): string {
  return (found ??= isKnown(GROUPS) ? GROUPS : DEFAULT_ECDH_CURVE)
}

function isKnown(ecdhCurve: string): boolean {
  try {
    createSecureContext({ ecdhCurve })
    return true
  } catch {
    return false
  }
}
