import { isIP } from 'node:net'
import { z } from 'zod'
import { oneOrMore } from '../core/one-or-more.ts'
import { certificates, privateKey } from '../tls/pem-schema.ts'
import { outgoingContext, type OutgoingTlsOptions } from '../tls/outgoing.ts'
import { readChain, readKey } from '../tls/key-pair.ts'
import { parseHostAndPort } from './addresses.ts'

const nameExpected = 'expected a host name such as "users.internal", or an IP address'

const serverName = z.string(nameExpected).refine((text) => {
  return isIP(text) !== 0 || parseHostAndPort(text)?.host === text.toLowerCase()
}, nameExpected)

const PIN = /^(?:sha256\/\/)?([A-Za-z0-9+/]{43}=)$/
const pinExpected = 'expected the SHA-256 of a public key, such as "sha256//" and 44 characters of base64'

const pin = z
  .string(pinExpected)
  .regex(PIN, pinExpected)
  .transform((text) => text.replace(PIN, '$1'))

/** Fields of TLS with a server: what is believed of it, and how the gateway shows who it is. */
export const clientTlsFields = {
  ca: certificates
    .optional()
    .describe(
      'File with the certificates, in PEM, of the authorities that are believed, in place of those that Node.js comes with. ' +
        'Default those.',
    ),
  cert: certificates
    .optional()
    .describe(
      'File with the certificate of the gateway, in PEM, and those that it was signed with; with `key`. Default none.',
    ),
  key: privateKey
    .optional()
    .describe('File with the private key of `cert`, in PEM without a passphrase. Default none.'),
  serverName: serverName
    .optional()
    .describe('Name that the certificate must have, and that is asked for. Default the host that is connected to.'),
  insecure: z
    .boolean()
    .default(false)
    .describe(
      'Takes any certificate of any name: whoever is on the way can read and change everything. Default false.',
    ),
}

/** Schema of TLS with the instances of a service. */
export const serviceTlsSchema = z
  .strictObject({
    ...clientTlsFields,
    pin: oneOrMore(pin)
      .default([])
      .describe(
        'SHA-256 of the public keys of which the certificate must have one, as sha256//… in base64: beside `ca`, and with ' +
          '`insecure` in place of it. Default any.',
      ),
  })
  .superRefine(checkTls)

/** A certificate comes with its key, and OpenSSL, which is to use them, has the last word. */
export function checkTls(options: OutgoingTlsOptions, context: z.RefinementCtx): void {
  const { cert, key } = options
  const report = (path: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [path], message, input: '[redacted]' })
  if (cert !== undefined && key === undefined)
    return report('cert', 'cert without key: give the file with its private key')
  if (key !== undefined && cert === undefined)
    return report('key', 'key without cert: give the file with its certificate')
  if (cert !== undefined && key !== undefined && !isPair(cert, key))
    return report('key', 'is the key of another certificate than that of cert')
  try {
    outgoingContext(options)
  } catch (error) {
    report(
      cert === undefined ? 'ca' : 'cert',
      `cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** Whether the first certificate is of that key; what cannot be read is told of elsewhere. */
function isPair(cert: string, key: string): boolean {
  const [leaf] = readChain(cert).chain
  const { key: own } = readKey(key)
  return leaf === undefined || own === null || leaf.checkPrivateKey(own)
}
