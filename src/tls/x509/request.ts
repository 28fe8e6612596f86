import type { KeyObject } from 'node:crypto'
import { implicitList, integer, objectIdentifier, sequence, setOf } from './der.ts'
import { extensionList, publicKeyOf, subjectAltName } from './extensions.ts'
import { distinguishedName, type Subject } from './names.ts'
import { signerOf } from './signature.ts'

export interface RequestOptions {
  /** The private key for the requested certificate. */
  readonly key: KeyObject
  /** The DNS names and IP addresses it is requested for. */
  readonly names: readonly string[]
  readonly subject?: Subject
}

/** extensionRequest (RFC 2985 section 5.4.2). */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'

/** Creates a certificate signing request (PKCS #10, RFC 2986) in DER. Throws a TypeError for an unsupported name or key. */
export function createRequest({ key, names, subject = {} }: RequestOptions): Buffer {
  const extensions = extensionList([subjectAltName(names)])
  const attributes = implicitList(0, sequence(objectIdentifier(EXTENSION_REQUEST), setOf(extensions)))
  return signerOf(key).sign(sequence(integer(0), distinguishedName(subject), publicKeyOf(key), attributes))
}
