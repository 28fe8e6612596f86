import type { KeyObject, X509Certificate } from 'node:crypto'

const MIN_RSA_BITS = 2048
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])
/** Signature algorithms that can be forged. */
const WEAK_SIGNATURE = /md[245]|sha-?1(?!\d)/i

/** Problems with the validity, keys, signatures and order of certificates; `now` is wall-clock milliseconds. */
export function judgeChain(chain: readonly X509Certificate[], now: number): string[] {
  return [
    ...chain.flatMap((certificate, i) => [
      ...judgeDates(certificate, now).map((problem) => about(chain, i, problem)),
      ...judgeKey(certificate.publicKey).map((problem) => about(chain, i, `has ${problem}`)),
      ...judgeSignature(certificate, i).map((problem) => about(chain, i, problem)),
    ]),
    ...judgeOrder(chain),
  ]
}

/** The problem of one certificate; if there are several, names the certificate. */
function about(chain: readonly X509Certificate[], i: number, problem: string): string {
  if (chain.length === 1) return problem
  return `certificate ${i + 1} of ${chain.length} (${nameOf(chain[i])}) ${problem}`
}

/** The last part of its subject, usually the common name. */
function nameOf(certificate: X509Certificate | undefined): string {
  return certificate?.subject?.split('\n').at(-1) ?? 'without a subject'
}

function judgeDates({ validFromDate, validToDate }: X509Certificate, now: number): string[] {
  if (validToDate.getTime() < now) return [`expired on ${dateOf(validToDate)}`]
  if (validFromDate.getTime() > now)
    return [`is not valid before ${dateOf(validFromDate)}; is the clock of this machine right?`]
  return []
}

function dateOf(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z')
}

/** Problems of a key, phrased to follow "has". */
function judgeKey({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string[] {
  const { modulusLength = 0, namedCurve = 'of an unknown name' } = asymmetricKeyDetails ?? {}
  if (asymmetricKeyType === 'ec')
    return CURVES.has(namedCurve) ? [] : [`an EC key on the curve ${namedCurve}: expected P-256, P-384 or P-521`]
  if (asymmetricKeyType === 'rsa' || asymmetricKeyType === 'rsa-pss')
    return modulusLength >= MIN_RSA_BITS
      ? []
      : [`a weak RSA key of ${modulusLength} bits: expected at least ${MIN_RSA_BITS}`]
  if (asymmetricKeyType === 'ed25519') return []
  return [`a key of the kind ${asymmetricKeyType}: expected EC, RSA or Ed25519`]
}

/** The signature of a root is never relied on. */
function judgeSignature(certificate: X509Certificate, i: number): string[] {
  const algorithm = certificate.signatureAlgorithm ?? ''
  const isRoot = i > 0 && certificate.checkIssued(certificate)
  if (isRoot || !WEAK_SIGNATURE.test(algorithm)) return []
  return [`has a weak signature (${algorithm}): expected SHA-256 or better`]
}

/** Each certificate must be followed by the one that signed it (RFC 5246 section 7.4.2). Reports at most one problem. */
function judgeOrder(chain: readonly X509Certificate[]): string[] {
  for (const [i, issued] of chain.entries()) {
    const issuer = chain[i + 1]
    if (issuer === undefined || hasSigned(issuer, issued)) continue
    const elsewhere = chain.findIndex((other) => other !== issued && hasSigned(other, issued))
    const found = `certificate ${i + 2} (${nameOf(issuer)}) did not sign certificate ${i + 1} (${nameOf(issued)})`
    if (elsewhere === -1) return [`${found}: remove it, or replace it with the one that did`]
    return [`${found}, certificate ${elsewhere + 1} did: put each certificate before the one that signed it`]
  }
  return []
}

function hasSigned(issuer: X509Certificate, issued: X509Certificate): boolean {
  return issuer.ca && issued.checkIssued(issuer) && issued.verify(issuer.publicKey)
}
