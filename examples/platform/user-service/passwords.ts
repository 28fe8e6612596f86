import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number }, Buffer>(scrypt)

/** 16 MiB of memory a hash: one of the settings that OWASP's password storage cheat sheet recommends for scrypt. */
const cost = { N: 2 ** 14, r: 8, p: 5 }

/** The scrypt hash of a password with a fresh salt, as salt:key in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const key = await derive(password, salt, 32, cost)
  return `${salt.toString('base64url')}:${key.toString('base64url')}`
}

/** Whether the password is the one that was hashed; takes as long when there is no hash. */
export async function verifyPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [salt = '', key = ''] = hash?.split(':') ?? []
  const actual = await derive(password, Buffer.from(salt, 'base64url'), 32, cost)
  const expected = Buffer.from(key, 'base64url')
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}
