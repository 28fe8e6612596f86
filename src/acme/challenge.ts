import { createHash } from 'node:crypto'

/** How a CA can verify control of a name. */
export const challengeTypes = ['http-01', 'tls-alpn-01', 'dns-01'] as const

export type ChallengeType = (typeof challengeTypes)[number]

/** What a CA checks to verify control of a name. */
export interface Challenge {
  readonly type: ChallengeType
  /** The name; for a wildcard, without "*.". */
  readonly domain: string
  readonly token: string
  /** The token and the thumbprint of the account key (RFC 8555 section 8.1). */
  readonly keyAuthorization: string
}

/** SHA-256 of the key authorization: dns-01 uses it as base64url in the record, tls-alpn-01 as bytes in the certificate. */
export function digestOf({ keyAuthorization }: Challenge): Buffer {
  return createHash('sha256').update(keyAuthorization).digest()
}

/** Publishes answers to challenges for a CA. */
export interface Solver {
  readonly type: ChallengeType
  /** Resolves when all answers are in place, with a function that removes them. Rejects with an AcmeError that says what went wrong. */
  present(challenges: readonly Challenge[]): Promise<() => Promise<void>>
}
