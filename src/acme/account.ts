import type { KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, FlattenedSign } from 'jose'
import { AcmeError } from './acme-error.ts'
import { publicJwk, type Session } from './session.ts'

/** What ties an account to one that its owner has with the CA already (RFC 8555 section 7.3.4). */
export interface ExternalAccount {
  readonly keyId: string
  /** As the CA gives it: base64url. */
  readonly hmacKey: string
}

/** An account with a CA. */
export interface Account {
  readonly key: KeyObject
  readonly url: string
  /** Of its key (RFC 7638), which a challenge is answered with. */
  readonly thumbprint: string
}

export interface Registration {
  /** Who is told of trouble with certificates; undefined for nobody. */
  readonly email: string | undefined
  readonly external: ExternalAccount | undefined
}

/**
 * The account of that key, which the server makes where there is none yet; its terms of service are agreed to. Rejects with an
 * AcmeError where the server refuses.
 */
export async function register(session: Session, key: KeyObject, registration: Registration): Promise<Account> {
  const { newAccount, meta } = await session.directory()
  const { email, external } = registration
  if (meta.externalAccountRequired && external === undefined)
    throw new AcmeError(`${session.url} wants an external account: set eab to the key id and HMAC key that it gave you`)
  const payload = {
    termsOfServiceAgreed: true,
    ...(email !== undefined && { contact: [`mailto:${email}`] }),
    ...(external !== undefined && { externalAccountBinding: await bind(newAccount, key, external) }),
  }
  const { location } = await session.post(newAccount, payload, { key, account: null })
  if (location === undefined) throw new AcmeError(`${newAccount} gives no URL for the account`)
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
