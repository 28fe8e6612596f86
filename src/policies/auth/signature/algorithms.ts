import {
  constants,
  createHmac,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from 'node:crypto'

/** Whether `signature` is the signature of the data by the key. */
type Check = (data: Buffer, signature: Buffer, key: KeyObject) => boolean

/** Minimum length of an RSA key in bits. */
const MIN_RSA_BITS = 2048
/** Minimum length of a shared secret in bytes: that of the digest (RFC 2104 section 3). */
const MIN_SECRET_LENGTH = 32

const checks = {
  'rsa-pss-sha512': (data, signature, key) =>
    verify('sha512', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 }, signature),
  'rsa-v1_5-sha256': (data, signature, key) => verify('sha256', data, key, signature),
  'ecdsa-p256-sha256': (data, signature, key) => verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature),
  ed25519: (data, signature, key) => verify(null, data, key, signature),
  'hmac-sha256': (data, signature, key) => {
    const expected = createHmac('sha256', key).update(data).digest()
    return signature.length === expected.length && timingSafeEqual(expected, signature)
  },
} as const satisfies Record<string, Check>

/** An algorithm of RFC 9421 section 3.3. */
export type SignatureAlgorithm = keyof typeof checks

/** Their names. */
export const signatureAlgorithms = [
  'ed25519',
  'ecdsa-p256-sha256',
  'rsa-pss-sha512',
  'rsa-v1_5-sha256',
  'hmac-sha256',
] as const satisfies readonly SignatureAlgorithm[]

/** A key with the single algorithm that it is used with. */
export interface SignatureKey {
  readonly algorithm: SignatureAlgorithm
  readonly key: KeyObject
}

/** The key given in the configuration. Throws an Error if it is invalid or does not fit the algorithm. */
export function signatureKey(algorithm: SignatureAlgorithm, material: string): SignatureKey {
  const key = algorithm === 'hmac-sha256' ? createSecretKey(material, 'utf8') : createPublicKey(material)
  const problem = problemOf(algorithm, key)
  if (problem !== null) throw new Error(problem)
  return { algorithm, key }
}

/** Whether it is the signature of the text, in which each character stands for one byte. */
export function isSignature(text: string, signature: Buffer, { algorithm, key }: SignatureKey): boolean {
  return checks[algorithm](Buffer.from(text, 'latin1'), signature, key)
}

function problemOf(algorithm: SignatureAlgorithm, key: KeyObject): string | null {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (algorithm === 'hmac-sha256')
    return (key.symmetricKeySize ?? 0) >= MIN_SECRET_LENGTH ? null : `expected at least ${MIN_SECRET_LENGTH} bytes`
  if (algorithm === 'ed25519') return type === 'ed25519' ? null : 'expected an Ed25519 key'
  if (algorithm === 'ecdsa-p256-sha256')
    return type === 'ec' && details?.namedCurve === 'prime256v1' ? null : 'expected an EC key on P-256'
  const isRsa = type === 'rsa' || (type === 'rsa-pss' && algorithm === 'rsa-pss-sha512')
  return isRsa ? shortness(details?.modulusLength) : 'expected an RSA key'
}

function shortness(bits = 0): string | null {
  return bits >= MIN_RSA_BITS ? null : `expected an RSA key with at least ${MIN_RSA_BITS} bits, not ${bits}`
}
