import { createHash } from 'node:crypto'

/** How a CA may make sure that a name is ours. */
export const challengeTypes = ['http-01', 'tls-alpn-01', 'dns-01'] as const

export type ChallengeType = (typeof challengeTypes)[number]

/** What a CA looks for before it believes that a name is ours. */
export interface Challenge {
  readonly type: ChallengeType
  /** The name, of a wildcard without its "*.". */
  readonly domain: string
  readonly token: string
  /** The token and the thumbprint of the account's key (RFC 8555 section 8.1). */
  readonly keyAuthorization: string
}

/** SHA-256 of what answers the challenge: the record of dns-01 is its base64url, and the certificate of tls-alpn-01 has its octets. */
export function digestOf({ keyAuthorization }: Challenge): Buffer {
  return createHash('sha256').update(keyAuthorization).digest()
}

/** Puts answers to challenges where a CA finds them. */
export interface Solver {
  readonly type: ChallengeType
  /** Resolves when all are in place, with what takes them away again. Rejects with an AcmeError that says what keeps them from it. */
  present(challenges: readonly Challenge[]): Promise<() => Promise<void>>
}
