import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type KeyPair, readKeyPair } from './key-pair.ts'
import { createCertificate } from './x509/certificate.ts'
import type { Purpose } from './x509/extensions.ts'
import type { Subject } from './x509/names.ts'

const DAY = 24 * 3_600_000
/** How long the authority is valid: as it has to be trusted by hand, longer than anybody works on one thing. */
const AUTHORITY_DAYS = 3650
/** Clocks of other machines may be slow. */
const SLACK = 5 * 60_000
/** Nobody but the user reads a private key. */
const KEY_MODE = 0o600

/** An authority of this machine's user, for development: whoever trusts it once trusts what it signs. */
export interface LocalAuthority {
  /** Its certificate, PEM. */
  readonly cert: string
  /** Whether it has just been made. */
  readonly isNew: boolean
  /** Makes a key and a certificate for it. */
  issue(leaf: LocalLeaf): KeyPair
}

/** What an authority is to sign. */
export interface LocalLeaf {
  readonly subject: Subject
  readonly names: readonly string[]
  readonly purpose: Purpose
  /** How long it is valid, in days. */
  readonly days: number
}

/** Why an authority cannot be used, in words for its user. */
export class AuthorityError extends Error {}

/**
 * Opens the authority in `folder`, ca.pem and ca-key.pem; makes one that is called `name` where there is none. `now` is wall-clock
 * milliseconds. Throws AuthorityError, or what the file system says.
 */
export function openAuthority(folder: string, name: string, now: number): LocalAuthority {
  const files = { cert: join(folder, 'ca.pem'), key: join(folder, 'ca-key.pem') }
  const isNew = !existsSync(files.cert) && !existsSync(files.key)
  if (isNew) makeAuthority(files, name, now)
  const { pair, problems } = readKeyPair(files, now)
  if (pair === null || problems.length > 0)
    throw new AuthorityError(
      `The local authority cannot be used:\n${problems.join('\n')}\nRemove both files, and a new one is made, which has to be trusted anew.`,
    )
  const key = createPrivateKey(pair.key)
  const own = new X509Certificate(pair.cert)
  // As it was made here: no other attributes, and nothing that Node would write differently.
  const subject = { commonName: own.subject.replace(/^CN=/, '') }
  return {
    cert: pair.cert,
    isNew,
    issue(leaf) {
      const made = issueLeaf(leaf, { subject, key }, now)
      if (new X509Certificate(made.cert).checkIssued(own)) return made
      throw new AuthorityError(
        `${files.cert} was not made by this command: name another folder for the local authority.`,
      )
    },
  }
}

/**
 * Writes a pair, the key first: whoever watches the certificate then finds both. Each file takes the place of what was there in one
 * step.
 */
export function writeKeyPair(pair: KeyPair, files: { readonly cert: string; readonly key: string }): void {
  replaceFile(files.key, pair.key, KEY_MODE)
  replaceFile(files.cert, pair.cert)
}

/** Writes a file that takes the place of what was there in one step. */
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

/** Exactly so many days, from a little while ago. */
function validity(now: number, days: number): { notBefore: number; notAfter: number } {
  return { notBefore: now - SLACK, notAfter: now - SLACK + days * DAY }
}

/** P-256: small, quick, and known to everybody. */
function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

function pemOfKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' })
}
