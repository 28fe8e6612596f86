import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** scrypt parameters (RFC 7914 section 2): `cost` is N. */
interface Effort {
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
}

/** The stored form of a password. */
export interface PasswordDigest extends Effort {
  readonly salt: Buffer
  readonly hash: Buffer
}

const MEBIBYTE = 1024 ** 2
const SALT = 16
const HASH = 32
/** 32 MiB and about a fifth of a second on one core: one of the settings that OWASP recommends. */
const EFFORT: Effort = { cost: 2 ** 15, blockSize: 8, parallelization: 3 }
/** Minimum memory written in total, in bytes; with less, passwords could be guessed too fast. */
const MIN_WORK = 16 * MEBIBYTE
/** Maximum memory used at a time and written in total, in bytes; more would slow down requests. */
const MAX_MEMORY = 256 * MEBIBYTE
const MAX_WORK = 1024 * MEBIBYTE

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{22,86})$/

/** Expected form of a digest, for error messages. */
export const digestExpected =
  'expected the digest of a password, as `sallyport password` makes it: "$scrypt$ln=15,r=8,p=3$…"'

/**
 * Parses a digest in PHC form: "$scrypt$ln=…,r=…,p=…$salt$hash", in base64 without padding. Null for any other text, and for parameters
 * that are too weak or too expensive.
 */
export function parseDigest(text: string): PasswordDigest | null {
  const [, ln = '', r = '', p = '', salt = '', hash = ''] = PHC.exec(text) ?? []
  const effort = { cost: 2 ** Number(ln), blockSize: Number(r), parallelization: Number(p) }
  const memory = memoryOf(effort)
  const work = memory * effort.parallelization
  if (hash === '' || memory > MAX_MEMORY || work < MIN_WORK || work > MAX_WORK) return null
  return { ...effort, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

/** Hashes a password with a new random salt. */
export async function digestOf(password: string): Promise<string> {
  const salt = randomBytes(SALT)
  const hash = await derive(password, { ...EFFORT, salt }, HASH)
  const { cost, blockSize, parallelization } = EFFORT
  return `$scrypt$ln=${Math.log2(cost)},r=${blockSize},p=${parallelization}$${base64(salt)}$${base64(hash)}`
}

/** A digest that no password matches, with the same cost parameters as the given one. */
export function decoyOf({ cost, blockSize, parallelization, salt, hash }: PasswordDigest): PasswordDigest {
  return { cost, blockSize, parallelization, salt: randomBytes(salt.length), hash: randomBytes(hash.length) }
}

/** Whether the password matches the digest. Runs in the thread pool and takes the same time either way. */
export async function hasDigest(password: string, digest: PasswordDigest): Promise<boolean> {
  return timingSafeEqual(await derive(password, digest, digest.hash.length), digest.hash)
}

function derive(password: string, digest: Effort & { readonly salt: Buffer }, length: number): Promise<Buffer> {
  const { cost, blockSize, parallelization, salt } = digest
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  // Normalized, so that equivalent character sequences match (RFC 8265 section 4.2.1).
  const text = password.normalize('NFC')
  // Node's accounting includes somewhat more than the blocks.
  const maxmem = 2 * memoryOf(digest)
  scrypt(text, salt, length, { cost, blockSize, parallelization, maxmem }, (error, hash) =>
    error === null ? resolve(hash) : reject(error),
  )
  return promise
}

/** Base64 without padding, as PHC requires. */
function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

/** Memory used at a time, in bytes. */
function memoryOf({ cost, blockSize }: Effort): number {
  return 128 * cost * blockSize
}
