import { isIP } from 'node:net'
import { z } from 'zod'
import { oneOrMore } from '../core/one-or-more.ts'
import { problemOfTls } from '../tls/judge-outgoing.ts'
import { certificateFile, type Pem, privateKeyFile } from '../tls/pem-schema.ts'
import type { OutgoingTlsOptions } from '../tls/outgoing.ts'
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
  ca: certificateFile
    .optional()
    .describe(
      'File with the certificates, in PEM, of the authorities that are believed, in place of those that Node.js comes with. ' +
        'Default those.',
    ),
  cert: certificateFile
    .optional()
    .describe(
      'File with the certificate of the gateway, in PEM, and those that it was signed with; with `key`. Default none.',
    ),
  key: privateKeyFile
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
  .transform(withTexts)
  .superRefine(checkTls)

interface PemOptions {
  readonly ca?: Pem | undefined
  readonly cert?: Pem | undefined
  readonly key?: Pem | undefined
}

/** With the texts of certificates and key, and the files that they are from beside them, where they are. */
export function withTexts<Options extends PemOptions>({ ca, cert, key, ...rest }: Options) {
  const files = { ca: ca?.file ?? null, cert: cert?.file ?? null, key: key?.file ?? null }
  return { ...rest, ca: ca?.text, cert: cert?.text, key: key?.text, files }
}

/** Refuses a certificate without its key, and what OpenSSL cannot use. */
export function checkTls(options: OutgoingTlsOptions, context: z.RefinementCtx): void {
  const problem = problemOfTls(options)
  if (problem === null) return
  context.addIssue({ code: 'custom', path: [problem.option], message: problem.message, input: '[redacted]' })
}
