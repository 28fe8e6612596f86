import type { Headers } from '../../http/headers.ts'
import { CredentialError } from './credential-error.ts'
import { onlyField } from './credentials.ts'

const SCHEME = /^basic(?: |$)/i

/** A user's name and password. */
export interface BasicCredentials {
  readonly name: string
  readonly password: string
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The name and password of `Authorization: Basic` (RFC 7617 section 2), decoded as UTF-8, with the name in Unicode normalization
 * form C; null if there are none. Throws CredentialError if they are malformed.
 */
export function basicCredentials(headers: Headers): BasicCredentials | null {
  const value = onlyField(headers, 'Authorization')
  if (value === undefined || !SCHEME.test(value)) return null
  const encoded = value.slice('basic'.length).trim()
  const text = decode(encoded)
  const colon = text?.indexOf(':') ?? -1
  // RFC 7617 section 2: neither may contain control characters.
  if (text === null || colon === -1 || /\p{Cc}/u.test(text)) throw new CredentialError('malformed-password')
  return { name: text.slice(0, colon).normalize('NFC'), password: text.slice(colon + 1) }
}

/** Removes `Authorization` if it holds a name and a password. */
export function dropBasicCredentials(headers: Headers): void {
  if (headers.getAll('Authorization').some((value) => SCHEME.test(value))) headers.delete('Authorization')
}

function decode(encoded: string): string | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return null
  try {
    return utf8.decode(Buffer.from(encoded, 'base64'))
  } catch {
    return null
  }
}
