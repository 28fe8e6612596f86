import { randomBytes, timingSafeEqual } from 'node:crypto'
import { argon2idEffort, type PasswordEffort, scryptEffort } from './password-effort.ts'

/** The stored form of a password. */
export interface PasswordDigest {
  readonly effort: PasswordEffort
  readonly salt: Buffer
  readonly hash: Buffer
}

/** Maximum length of a password that is hashed or that operators log in with, in characters. */
export const MAX_PASSWORD_LENGTH = 1024

const MEBIBYTE = 1024 ** 2
const SALT = 16
const HASH = 32
/** For new digests: the second recommendation of RFC 9106 section 4. */
const EFFORT = argon2idEffort(64 * 1024, 3, 4)
/** Minimum memory written in total, in bytes; with less, passwords could be guessed too fast. */
const MIN_WORK = 16 * MEBIBYTE
/** Maximum memory used at a time and written in total, in bytes; more would slow down requests. */
const MAX_MEMORY = 256 * MEBIBYTE
const MAX_WORK = 1024 * MEBIBYTE

const PHC = /^\$((?:argon2id\$v=19|scrypt)\$[a-z0-9=,]{1,40})\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{22,86})$/
const ARGON2ID = /^argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,4}),p=(\d{1,2})$/
const SCRYPT = /^scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})$/

/**
 * Parses a digest of argon2id or scrypt in PHC form: "$argon2id$v=19$m=…,t=…,p=…$salt$hash" or "$scrypt$ln=…,r=…,p=…$salt$hash", in base64
 * without padding. Null for any other text, and for parameters that are too weak, too expensive or invalid.
 */
export function parseDigest(text: string): PasswordDigest | null {
  const digest = formOf(text)
  return digest !== null && isAffordable(digest.effort) ? digest : null
}

/** What is wrong with a digest, without quoting it; null if nothing is. */
export function digestProblem(text: string): string | null {
  const digest = formOf(text)
  if (digest === null)
    return `expected the digest of a password, as \`sallyport password\` makes it: "$${EFFORT.name}$…"`
  if (isAffordable(digest.effort)) return null
  const [least, most, atOnce] = [MIN_WORK, MAX_WORK, MAX_MEMORY].map((bytes) => bytes / MEBIBYTE)
  return `expected a digest whose algorithm writes ${least} to ${most} MiB of memory in total, and uses at most ${atOnce} MiB at a time, as those of \`sallyport password\` do`
}

/** Hashes a password with a new random salt. */
export async function digestOf(password: string): Promise<string> {
  const salt = randomBytes(SALT)
  const hash = await EFFORT.derive(normalized(password), salt, HASH)
  return `$${EFFORT.name}$${base64(salt)}$${base64(hash)}`
}

/** A digest that no password matches, with the same cost as the given one. */
export function decoyOf({ effort, salt, hash }: PasswordDigest): PasswordDigest {
  return { effort, salt: randomBytes(salt.length), hash: randomBytes(hash.length) }
}

/** Whether the password matches the digest. Runs in the thread pool and takes the same time either way. */
export async function hasDigest(password: string, { effort, salt, hash }: PasswordDigest): Promise<boolean> {
  return timingSafeEqual(await effort.derive(normalized(password), salt, hash.length), hash)
}

/** Parses a digest, whatever its cost. */
function formOf(text: string): PasswordDigest | null {
  const [, name = '', salt = '', hash = ''] = PHC.exec(text) ?? []
  const effort = effortOf(name)
  return effort && { effort, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

function isAffordable({ memory, work }: PasswordEffort): boolean {
  return memory <= MAX_MEMORY && work >= MIN_WORK && work <= MAX_WORK
}

function effortOf(name: string): PasswordEffort | null {
  const [, m, t, p] = (ARGON2ID.exec(name) ?? []).map(Number)
  // RFC 9106 section 3.1: at least 8 KiB for each lane.
  if (m !== undefined && t !== undefined && p !== undefined)
    return t >= 1 && p >= 1 && m >= 8 * p ? argon2idEffort(m, t, p) : null
  const [, ln, blockSize, parallelization] = (SCRYPT.exec(name) ?? []).map(Number)
  if (ln === undefined || blockSize === undefined || parallelization === undefined) return null
  // RFC 7914 section 2: N is less than 2^(128 * r / 8).
  return ln < 16 * blockSize ? scryptEffort(ln, blockSize, parallelization) : null
}

/** Normalized, so that equivalent character sequences match (RFC 8265 section 4.2.1). */
function normalized(password: string): string {
  return password.normalize('NFC')
}

/** Base64 without padding, as PHC requires. */
function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
