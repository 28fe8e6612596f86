import { messageOf } from '../core/error-facts.ts'
import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { readText } from '../core/read-text.ts'
import { pemBlocks } from './pem.ts'

/** Maximum size of a file with certificates or revocation lists, in bytes: large authorities have long lists. */
const MAX_SIZE = 16 * 1024 * 1024

/** Files of the authorities for client certificates. */
export interface ClientAuthorityPlaces {
  /** File with their certificates. */
  readonly ca: string
  /** File with their revocation lists. */
  readonly crl?: string | undefined
}

/** Authorities whose client certificates are accepted; all PEM. */
export interface ClientAuthorities {
  readonly ca: string
  /** One entry per list; if empty, nothing is revoked. */
  readonly crls: readonly string[]
}

/** What is wrong with one of the files. */
export class ClientAuthorityError extends Error {
  readonly member: keyof ClientAuthorityPlaces

  constructor(member: keyof ClientAuthorityPlaces, message: string) {
    super(message)
    this.member = member
  }
}

/** Reads and validates the files. Throws ClientAuthorityError. */
export function readClientAuthorities({ ca, crl }: ClientAuthorityPlaces): ClientAuthorities {
  const certificates = blocksOf('ca', ca, 'CERTIFICATE')
  const read = certificates.map((text) => judged('ca', () => new X509Certificate(text)))
  if (!read.some(({ subject, issuer }) => subject === issuer))
    throw new ClientAuthorityError('ca', 'has no root certificate: add the self-signed one')
  const crls = crl === undefined ? [] : blocksOf('crl', crl, 'X509 CRL')
  for (const text of crls) judged('crl', () => createSecureContext({ crl: text }))
  return { ca: certificates.join(''), crls }
}

function blocksOf(member: keyof ClientAuthorityPlaces, file: string, label: string): string[] {
  const text = judged(member, () => readText(file, MAX_SIZE))
  const found = pemBlocks(text).filter((block) => block.label === label)
  if (found.length === 0) throw new ClientAuthorityError(member, `holds no PEM block ${label}`)
  return found.map((block) => block.text)
}

function judged<T>(member: keyof ClientAuthorityPlaces, judge: () => T): T {
  try {
    return judge()
  } catch (error) {
    throw new ClientAuthorityError(member, messageOf(error))
  }
}
