import { createSecureContext, DEFAULT_ECDH_CURVE } from 'node:tls'

/**
 * Key exchange groups: a hybrid that withstands quantum computers, and the fast classical ones. Excludes groups that cost the gateway many
 * times as much (P-521, X448 and finite fields), which clients could choose in order to overload it.
 */
const GROUPS = 'X25519MLKEM768:X25519:prime256v1:secp384r1'

let found: string | null = null

/** The supported groups; OpenSSL's own default if this Node's version lacks one of them. Determined once, when TLS is first needed. */
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
