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

/** TLS settings towards a server: which certificates are trusted, and how the gateway authenticates itself. */
export const clientTlsFields = {
  ca: certificateFile
    .optional()
    .describe('File with CA certificates, in PEM, to trust instead of those of Node.js. Default those of Node.js.')
    .meta({ examples: ['./tls/ca.pem'] }),
  cert: certificateFile
    .optional()
    .describe("File with the gateway's client certificate chain, in PEM; with `key`. Default none.")
    .meta({ examples: ['./tls/gateway.pem'] }),
  key: privateKeyFile
    .optional()
    .describe('File with the private key of `cert`, in PEM, without a passphrase. Default none.')
    .meta({ examples: ['./tls/gateway.key'] }),
  serverName: serverName
    .optional()
    .describe('Server name to ask for and to verify. Default the host of the connection.')
    .meta({ examples: ['users.internal'] }),
  insecure: z
    .boolean()
    .default(false)
    .describe('Accept any certificate: anyone on the network path can read and change everything. Default false.'),
}

/** Schema of TLS with the instances of a service. */
export const serviceTlsSchema = z
  .strictObject({
    ...clientTlsFields,
    pin: oneOrMore(pin)
      .default([])
      .describe(
        'SHA-256 pins of public keys, as sha256//… in base64; the certificate must match one. In addition to `ca`, or instead of it with `insecure`. Default none.',
      )
      .meta({ examples: [['sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=']] }),
  })
  .transform(withTexts)
  .superRefine(checkTls)

interface PemOptions {
  readonly ca?: Pem | undefined
  readonly cert?: Pem | undefined
  readonly key?: Pem | undefined
}

/** Splits the texts of certificates and key from the files that they came from, if any. */
export function withTexts<Options extends PemOptions>({ ca, cert, key, ...rest }: Options) {
  const files = { ca: ca?.file ?? null, cert: cert?.file ?? null, key: key?.file ?? null }
  return { ...rest, ca: ca?.text, cert: cert?.text, key: key?.text, files }
}

/** Refuses a certificate without its key, and anything that OpenSSL cannot use. */
export function checkTls(options: OutgoingTlsOptions, context: z.RefinementCtx): void {
  const problem = problemOfTls(options)
  if (problem === null) return
  context.addIssue({ code: 'custom', path: [problem.option], message: problem.message, input: '[redacted]' })
}
