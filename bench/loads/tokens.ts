import { createHmac } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The key that signs the tokens of the scenarios; it protects nothing. */
export const secret = 'only-for-benchmarks-0123456789abcdef'

/** The number of different callers. */
const callers = 1000
/** Seconds since 1970: none of the tokens expires within the foreseeable future. */
const expires = 4_102_444_800

/** The HS256 token of a caller, numbered from 0. */
export function token(caller: number): string {
  const header = encode({ alg: 'HS256', typ: 'JWT' })
  const claims = encode({ iss: 'bench', sub: `user-${caller}`, roles: ['customer'], iat: 1_700_000_000, exp: expires })
  const signature = createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url')
  return `${header}.${claims}.${signature}`
}

/** A file in the folder with the tokens of all callers, one per line. */
export function tokenFile(dir: string): string {
  const file = join(dir, 'tokens')
  if (!existsSync(file))
    writeFileSync(file, Array.from({ length: callers }, (_, caller) => `${token(caller)}\n`).join(''))
  return file
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
