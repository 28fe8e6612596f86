import { hash, randomBytes } from 'node:crypto'

/** A new API key. */
export interface NewApiKey {
  /** What the client sends; to be shown once, and kept nowhere. */
  readonly secret: string
  /** The beginning of the secret, by which people tell keys apart. */
  readonly prefix: string
  /** What is kept, in hexadecimal: the secret is too random to be guessed from it. */
  readonly sha256: string
}

/** Makes an API key of 256 random bits; `random` returns that many random octets. */
export function newApiKey(random: (size: number) => Buffer = randomBytes): NewApiKey {
  const prefix = `sp_${random(4).toString('hex')}`
  const secret = `${prefix}_${random(32).toString('base64url')}`
  return { secret, prefix, sha256: hash('sha256', secret) }
}
