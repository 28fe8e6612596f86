import { messageOf } from '../core/error-facts.ts'
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { FileError, readText } from '../core/read-text.ts'
import { certificateNames } from './certificate-names.ts'
import { judgeChain } from './judge-chain.ts'
import { isEncrypted, isPrivateKey, pemBlocks } from './pem.ts'
import { type Purpose, PURPOSES } from './x509/extensions.ts'

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  /** The leaf certificate first, then the chain up to the root, which may be omitted. */
  readonly cert: string
  readonly key: string
}

/** Properties of a key pair, and why it must not be used. */
export interface JudgedKeyPair {
  /** In words, each prefixed with the location of the certificate or key; empty if the pair is valid. */
  readonly problems: readonly string[]
  /** DNS names, wildcards and IP addresses it is valid for; empty if unreadable. */
  readonly names: readonly string[]
  /** Validity of the leaf, in wall-clock milliseconds; 0 if unreadable. */
  readonly notBefore: number
  readonly notAfter: number
  /** SHA-256 of the leaf, as shown by `openssl x509 -fingerprint -sha256`; "" if unreadable. */
  readonly fingerprint: string
}

/** Locations of certificate and key, as named in problems. */
export type KeyPairPlaces = KeyPair

/** Maximum size of a certificate or key file, in bytes. */
const MAX = 1024 * 1024

/** anyExtendedKeyUsage. */
const ANY_PURPOSE = '2.5.29.37.0'

const UNREADABLE = { names: [], notBefore: 0, notAfter: 0, fingerprint: '' }
const NAMES: KeyPairPlaces = { cert: 'certificate', key: 'key' }

/**
 * Reads a pair from its files and validates it as of `now`, in wall-clock milliseconds; `pair` is null if a file cannot be read.
 * Certificate and key may be in the same file.
 */
export function readKeyPair(
  files: KeyPairPlaces,
  now: number,
  purpose?: Purpose,
): JudgedKeyPair & { readonly pair: KeyPair | null } {
  const cert = read(files.cert)
  const key = read(files.key)
  if (cert.text === null || key.text === null)
    return { ...UNREADABLE, pair: null, problems: [...new Set([...cert.problems, ...key.problems])] }
  const pair = { cert: cert.text, key: key.text }
  return { ...judgeKeyPair(pair, now, files, purpose), pair }
}

/**
 * Validates a pair as of `now`, in wall-clock milliseconds. Problems: unreadable, mismatched keys, expired, not yet valid, weak, in the
 * wrong order, or not suitable for `purpose`.
 */
export function judgeKeyPair(
  pair: KeyPair,
  now: number,
  places: KeyPairPlaces = NAMES,
  purpose?: Purpose,
): JudgedKeyPair {
  const { chain, problem } = readChain(pair.cert)
  const key = readKey(pair.key)
  const ofKey = key.problem === null ? [] : [`${places.key}: ${key.problem}`]
  const [leaf] = chain
  if (problem !== null || leaf === undefined)
    return { ...UNREADABLE, problems: [`${places.cert}: ${problem}`, ...ofKey] }
  const problems = [
    ...judgeChain(chain, now).map((found) => `${places.cert}: ${found}`),
    ...judgePurpose(leaf, purpose).map((found) => `${places.cert}: ${found}`),
    ...ofKey,
    ...(key.key === null ? [] : judgeMatch(chain, key.key, places)),
  ]
  return {
    problems: problems.length > 0 ? problems : judgeUse(pair, places),
    names: certificateNames(leaf),
    notBefore: leaf.validFromDate.getTime(),
    notAfter: leaf.validToDate.getTime(),
    fingerprint: leaf.fingerprint256,
  }
}

function read(file: string): { readonly text: string | null; readonly problems: readonly string[] } {
  try {
    return { text: readText(file, MAX), problems: [] }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return { text: null, problems: [`${file}: ${error.message}`] }
  }
}

/** The certificates of a PEM text in order, or why there are no readable ones. */
export function readChain(cert: string): {
  readonly chain: readonly X509Certificate[]
  readonly problem: string | null
} {
  const blocks = pemBlocks(cert)
  const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE')
  if (certificates.length === 0) return { chain: [], problem: whyNone(blocks.map(({ label }) => label)) }
  const chain: X509Certificate[] = []
  for (const [i, { text }] of certificates.entries()) {
    const certificate = attempt(() => new X509Certificate(text))
    if (certificate === null) return { chain: [], problem: `certificate ${i + 1} of ${certificates.length} is damaged` }
    chain.push(certificate)
  }
  return { chain, problem: null }
}

function whyNone(labels: readonly string[]): string {
  if (labels.some((label) => label.endsWith('CERTIFICATE REQUEST')))
    return 'is a request for a certificate: expected the certificate that was issued for it'
  if (labels.some(isPrivateKey)) return 'is a private key: expected a certificate; have cert and key been mixed up?'
  return 'has no certificate in it: expected PEM, text that begins with -----BEGIN CERTIFICATE-----'
}

/** The private key of a PEM text, or why there is no readable one. */
export function readKey(text: string): { readonly key: KeyObject | null; readonly problem: string | null } {
  const blocks = pemBlocks(text)
  const block = blocks.find(({ label }) => isPrivateKey(label))
  if (block === undefined) return { key: null, problem: whyNoKey(blocks.map(({ label }) => label)) }
  if (isEncrypted(block))
    return { key: null, problem: 'is encrypted: expected a key without a passphrase, as "openssl pkey" writes it' }
  const key = attempt(() => createPrivateKey(block.text))
  return { key, problem: key === null ? 'is a private key that is damaged, or of an unknown kind' : null }
}

function whyNoKey(labels: readonly string[]): string {
  if (labels.includes('CERTIFICATE'))
    return 'is a certificate: expected a private key; have cert and key been mixed up?'
  if (labels.some((label) => label.endsWith('PUBLIC KEY'))) return 'is a public key: expected the private one'
  return 'has no private key in it: expected PEM, text that begins with -----BEGIN PRIVATE KEY-----'
}

function judgeMatch(chain: readonly X509Certificate[], key: KeyObject, { cert, key: place }: KeyPairPlaces): string[] {
  const owner = chain.findIndex((certificate) => certificate.checkPrivateKey(key))
  if (owner === 0) return []
  if (owner === -1) return [`${place}: does not match the certificate in ${cert}`]
  return [`${cert}: the certificate of the key is number ${owner + 1}: put it first`]
}

/** A certificate without stated purposes is valid for all (RFC 5280 section 4.2.1.12). */
function judgePurpose({ keyUsage: uses }: X509Certificate, purpose: Purpose | undefined): string[] {
  if (purpose === undefined || uses === undefined) return []
  if (uses.includes(PURPOSES[purpose]) || uses.includes(ANY_PURPOSE)) return []
  return [`is not for TLS ${purpose}s: have it issued with the extended key usage ${purpose}Auth`]
}

/** The final check is by OpenSSL, which will use the pair. */
function judgeUse(pair: KeyPair, { cert }: KeyPairPlaces): string[] {
  try {
    createSecureContext(pair)
    return []
  } catch (error) {
    return [`${cert}: cannot be used: ${messageOf(error)}`]
  }
}

/** Null if it throws. */
function attempt<Result>(make: () => Result): Result | null {
  try {
    return make()
  } catch {
    return null
  }
}
