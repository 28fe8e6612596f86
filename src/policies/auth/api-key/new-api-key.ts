import { hash, randomBytes } from 'node:crypto'

/** A new API key. */
export interface NewApiKey {
  /** What the client sends. Shown once and stored nowhere. */
  readonly secret: string
  /** The beginning of the secret, by which people can tell keys apart. */
  readonly prefix: string
  /** SHA-256 digest in hexadecimal, which is what is stored: the secret has too much entropy to be guessed from it. */
  readonly sha256: string
}

/** Creates an API key from 256 random bits; `random` returns the given number of random bytes. */
export function newApiKey(random: (size: number) => Buffer = randomBytes): NewApiKey {
  const prefix = `sp_${random(4).toString('hex')}`
  const secret = `${prefix}_${random(32).toString('base64url')}`
  return { secret, prefix, sha256: hash('sha256', secret) }
}
