import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type KeyPair, readKeyPair } from './key-pair.ts'
import { createCertificate } from './x509/certificate.ts'
import type { Purpose } from './x509/extensions.ts'
import type { Subject } from './x509/names.ts'

const DAY = 24 * 3_600_000
/** Validity of the authority: since it must be trusted manually, longer than any project. */
const AUTHORITY_DAYS = 3650
/** Allowance for slow clocks of other machines. */
const SLACK = 5 * 60_000
/** Only the user may read a private key. */
const KEY_MODE = 0o600

/** A user's local certificate authority for development: after trusting it once, everything it signs is trusted. */
export interface LocalAuthority {
  /** Its certificate, PEM. */
  readonly cert: string
  /** Whether it has just been created. */
  readonly isNew: boolean
  /** Creates a key and a certificate for it. */
  issue(leaf: LocalLeaf): KeyPair
}

/** A certificate to be issued. */
export interface LocalLeaf {
  readonly subject: Subject
  readonly names: readonly string[]
  readonly purpose: Purpose
  /** Validity in days. */
  readonly days: number
}

/** Why an authority is unusable, in words for its user. */
export class AuthorityError extends Error {}

/**
 * Opens the authority in `folder`, ca.pem and ca-key.pem; if there is none, creates one called `name`. `now` is wall-clock milliseconds.
 * Throws AuthorityError, or file system errors.
 */
export function openAuthority(folder: string, name: string, now: number): LocalAuthority {
  const files = { cert: join(folder, 'ca.pem'), key: join(folder, 'ca-key.pem') }
  const isNew = !existsSync(files.cert) && !existsSync(files.key)
  if (isNew) makeAuthority(files, name, now)
  const { pair, problems } = readKeyPair(files, now)
  if (pair === null || problems.length > 0)
    throw new AuthorityError(
      `The local authority cannot be used:\n${problems.join('\n')}\nRemove both files to create a new authority, which has to be trusted again.`,
    )
  const key = createPrivateKey(pair.key)
  const own = new X509Certificate(pair.cert)
  // As created here: no other attributes, and nothing that Node would format differently.
  const subject = { commonName: own.subject.replace(/^CN=/, '') }
  return {
    cert: pair.cert,
    isNew,
    issue(leaf) {
      const made = issueLeaf(leaf, { subject, key }, now)
      if (new X509Certificate(made.cert).checkIssued(own)) return made
      throw new AuthorityError(
        `${files.cert} was not created by this command: choose another folder for the local authority.`,
      )
    },
  }
}

/** Writes a pair, the key first, so that anyone watching the certificate finds both. Each file is replaced atomically. */
export function writeKeyPair(pair: KeyPair, files: { readonly cert: string; readonly key: string }): void {
  replaceFile(files.key, pair.key, KEY_MODE)
  replaceFile(files.cert, pair.cert)
}

/** Replaces a file atomically. */
export function replaceFile(file: string, text: string, mode = 0o644): void {
  const made = `${file}.new`
  rmSync(made, { force: true })
  writeFileSync(made, text, { mode, flag: 'wx' })
  renameSync(made, file)
}

function makeAuthority(files: { readonly cert: string; readonly key: string }, name: string, now: number): void {
  const subject = { commonName: name }
  const key = newKey()
  const cert = createCertificate({ subject, key, issuer: { subject, key }, ca: true, ...validity(now, AUTHORITY_DAYS) })
  mkdirSync(join(files.cert, '..'), { recursive: true, mode: 0o700 })
  writeKeyPair({ cert, key: pemOfKey(key) }, files)
}

function issueLeaf(
  { subject, names, purpose, days }: LocalLeaf,
  issuer: { readonly subject: Subject; readonly key: KeyObject },
  now: number,
): KeyPair {
  const key = newKey()
  const cert = createCertificate({ subject, key, issuer, names, purposes: [purpose], ...validity(now, days) })
  return { cert, key: pemOfKey(key) }
}

/** Exactly that many days, starting slightly in the past. */
function validity(now: number, days: number): { notBefore: number; notAfter: number } {
  return { notBefore: now - SLACK, notAfter: now - SLACK + days * DAY }
}

/** P-256: small, fast, and supported everywhere. */
function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

function pemOfKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' })
}
