import { createHmac, generateKeyPairSync, type KeyObject, constants, sign } from 'node:crypto'

/** A secret that is long enough for every algorithm. */
export const SECRET = 'a secret of the tests that is long enough for HS512, which wants sixty-four'

/** 2024-01-15T10:30:00Z, the initial time of the manual clock, in seconds. */
export const NOW = Date.UTC(2024, 0, 15, 10, 30) / 1000

/** Key pairs, one of each kind. */
export const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  otherRsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: generateKeyPairSync('ed25519'),
}

/** PEM of a public key. */
export function pemOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' })
}

/** JSON Web Key of a public key, with further members. */
export function jwkOf(key: KeyObject, members: object = {}): object {
  return { ...key.export({ format: 'jwk' }), ...members }
}

/** The parts of a token; by default alice's, valid for an hour, signed with SECRET. */
export interface TokenParts {
  readonly header?: object
  readonly claims?: object
  readonly key?: KeyObject | string
  /** The algorithm of the signature, whatever the header says. */
  readonly algorithm?: string
}

/** A token, made without the library that verifies it. */
export function tokenOf({ header = {}, claims = {}, key = SECRET, algorithm = 'HS256' }: TokenParts = {}): string {
  const input = `${encode({ alg: algorithm, typ: 'JWT', ...header })}.${encode({ sub: 'alice', roles: ['user'], exp: NOW + 3600, ...claims })}`
  return `${input}.${signatureOf(input, key, algorithm).toString('base64url')}`
}

/** The JSON of a value as base64url. */
export function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** The signature of a text (RFC 7518 section 3.1, RFC 8037). */
export function signatureOf(input: string, key: KeyObject | string, algorithm: string): Buffer {
  const hash = `sha${algorithm.slice(2)}`
  if (algorithm.startsWith('HS')) return createHmac(hash, key).update(input).digest()
  if (typeof key === 'string') throw new Error(`${algorithm} needs a key pair`)
  const data = Buffer.from(input)
  if (algorithm.startsWith('RS')) return sign(hash, data, key)
  if (algorithm.startsWith('PS'))
    return sign(hash, data, {
      key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    })
  if (algorithm.startsWith('ES')) return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' })
  return sign(null, data, key)
}
