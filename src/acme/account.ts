import type { KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, FlattenedSign } from 'jose'
import { AcmeError } from './acme-error.ts'
import { publicJwk, type Session } from './session.ts'

/** Binds an account to an existing customer account with the CA (RFC 8555 section 7.3.4). */
export interface ExternalAccount {
  readonly keyId: string
  /** As provided by the CA: base64url. */
  readonly hmacKey: string
}

/** An account with a CA. */
export interface Account {
  readonly key: KeyObject
  readonly url: string
  /** Thumbprint of its key (RFC 7638), which is part of challenge responses. */
  readonly thumbprint: string
}

export interface Registration {
  /** Contact address for problems with certificates; undefined for none. */
  readonly email: string | undefined
  readonly external: ExternalAccount | undefined
}

/**
 * Looks up the account for that key, which the server creates if necessary; agrees to its terms of service. Rejects with an AcmeError if
 * the server refuses.
 */
export async function register(session: Session, key: KeyObject, registration: Registration): Promise<Account> {
  const { newAccount, meta } = await session.directory()
  const { email, external } = registration
  if (meta.externalAccountRequired && external === undefined)
    throw new AcmeError(`${session.url} wants an external account: set eab to the key ID and HMAC key that it gave you`)
  const payload = {
    termsOfServiceAgreed: true,
    ...(email !== undefined && { contact: [`mailto:${email}`] }),
    ...(external !== undefined && { externalAccountBinding: await bind(newAccount, key, external) }),
  }
  const { location } = await session.post(newAccount, payload, { key, account: null })
  if (location === undefined) throw new AcmeError(`${newAccount} returned no URL for the account`)
  return accountOf(key, location)
}

/** An account whose URL is known. */
export async function accountOf(key: KeyObject, url: string): Promise<Account> {
  return { key, url, thumbprint: await calculateJwkThumbprint(publicJwk(key)) }
}

async function bind(url: string, key: KeyObject, { keyId, hmacKey }: ExternalAccount): Promise<object> {
  const jws = new FlattenedSign(Buffer.from(JSON.stringify(publicJwk(key))))
  return jws.setProtectedHeader({ alg: 'HS256', kid: keyId, url }).sign(Buffer.from(hmacKey, 'base64url'))
}
