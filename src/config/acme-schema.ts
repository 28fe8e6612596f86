import { isIP } from 'node:net'
import { z } from 'zod'
import { challengeTypes } from '../acme/challenge.ts'
import { oneOrMore } from '../core/one-or-more.ts'
import { duration } from '../core/units.ts'
import { certificates } from '../tls/pem-schema.ts'

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'

/** RFC 1123 section 2.1 host names of at least two labels, as CAs issue certificates for; the first label may be "*". */
const DOMAIN = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const domainExpected =
  'expected a DNS name such as "api.example.com" or "*.example.com", in its ASCII form (xn--…), no address'
const urlExpected = 'expected the https URL of an ACME directory, such as "https://ca.example.com/acme/directory"'
const hookUrlExpected = 'expected a URL without user name and password: put them in headers, as Authorization'
const fieldExpected = 'expected the value of a header field: visible ASCII and spaces, without line breaks'
const hookExpected = 'expected one of command, url'

const domain = z
  .string(domainExpected)
  .transform((text) => text.toLowerCase().replace(/\.$/, ''))
  .refine((text) => text.length <= 253 && DOMAIN.test(text) && isIP(text) === 0, domainExpected)

const directoryUrl = z.url({ protocol: /^https$/, error: urlExpected })

const externalAccountSchema = z.strictObject({
  keyId: z
    .string()
    .min(1)
    .describe('Key ID from the CA.')
    .meta({ examples: ['kid-1'] }),
  hmacKey: z
    .string()
    .superRefine((text, context) => {
      // The text is not quoted because it is a secret.
      if (!/^[\w-]{16,}={0,2}$/.test(text))
        context.addIssue({ code: 'custom', message: 'expected base64url, as the CA gives it', input: '[redacted]' })
    })
    .describe('HMAC key from the CA, in base64url.')
    .meta({ examples: ['${ACME_EAB_KEY}'] }),
})

const directorySchema = z.strictObject({
  url: directoryUrl.describe('URL of the ACME directory.').meta({ examples: ['https://acme.example.com/directory'] }),
  ca: certificates
    .optional()
    .describe(
      "File with the CA certificates, in PEM, that the directory's server is verified against. Default those of Node.js.",
    )
    .meta({ examples: ['./tls/acme-ca.pem'] }),
  eab: externalAccountSchema.optional().describe('External account binding, if the CA requires one. Default none.'),
})

const directory = z.union([directoryUrl.transform((url) => directorySchema.parse({ url })), directorySchema])

const dnsSchema = z
  .strictObject({
    command: z
      .string()
      .min(1)
      .array()
      .min(1)
      .optional()
      .describe('Program and arguments; "set" or "clear", the name of the TXT record and its value are appended.')
      .meta({ examples: [['/usr/local/bin/dns-txt', '--zone', 'example.com']] }),
    url: secret(z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }), hookUrlExpected, isBare)
      .optional()
      .describe('URL to POST to, with JSON: action ("set" or "clear"), domain, name and value.')
      .meta({ examples: ['https://dns.example.com/txt'] }),
    headers: z
      .record(
        z.string().regex(/^[\w-]+$/),
        secret(z.string(), fieldExpected, (text) => /^[\x20-\x7e]*$/.test(text)),
      )
      .default({})
      .describe('Headers for these requests, such as Authorization. Default none.')
      .meta({ examples: [{ Authorization: 'Bearer ${DNS_TOKEN}' }] }),
    propagation: duration
      .prefault('2m')
      .describe('Longest wait for the record to become visible, before the CA is asked to check. Default 2m.'),
    resolvers: z
      .string()
      .refine((text) => isIP(text.replace(/^\[(.*)\](:\d+)?$|:\d+$/, '$1')) !== 0, 'expected IP or IP:port')
      .array()
      .default([])
      .describe('DNS servers to look for the record on, as IP or IP:port. Default those of the system.')
      .meta({ examples: [['192.0.2.53', '[2001:db8::53]:5353']] }),
  })
  .superRefine(({ command, url }, context) => {
    if ((command === undefined) === (url === undefined)) context.addIssue({ code: 'custom', message: hookExpected })
  })
  .transform(({ command, url, headers, ...rest }) => ({
    ...rest,
    hook: command === undefined ? { url: url ?? '', headers } : { command },
  }))

/** Schema of texts that are never quoted in error messages because they may be secrets. */
function secret<Schema extends z.ZodType<string>>(schema: Schema, expected: string, isGood: (text: string) => boolean) {
  return schema.superRefine((text, context) => {
    if (!isGood(text)) context.addIssue({ code: 'custom', message: expected, input: '[redacted]' })
  })
}

function isBare(url: string): boolean {
  const { username = '', password = '' } = URL.parse(url) ?? {}
  return username === '' && password === ''
}

/** Schema of certificates that the gateway obtains from a CA itself. */
export const acmeSchema = z
  .strictObject({
    domains: domain
      .array()
      .min(1)
      .max(100)
      .describe('DNS names; each gets its own certificate. "*.example.com" needs dns-01.')
      .meta({ examples: [['example.com', 'www.example.com']] }),
    email: z
      .email('expected an email address')
      .optional()
      .describe('Contact address for the CA. Default none.')
      .meta({ examples: ['ops@example.com'] }),
    directory: oneOrMore(directory)
      .prefault(LETS_ENCRYPT)
      .describe(
        "ACME directory of the CA: a URL or { url, ca, eab }, or a list of which the first that issues a certificate is used. Setting it accepts the CA's terms of service. Default Let’s Encrypt.",
      ),
    challenge: z
      .enum(challengeTypes)
      .default('tls-alpn-01')
      .describe(
        'How the CA verifies that you control the names: tls-alpn-01 on this listener at port 443, http-01 on any listener without TLS at port 80, or dns-01. Default tls-alpn-01.',
      ),
    dns: dnsSchema.optional().describe('How to set the TXT record for dns-01.'),
    folder: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Folder for the account, keys and certificates, relative to the configuration file. Default Redis where stores.redis is configured, otherwise the folder acme.',
      )
      .meta({ examples: ['./acme'] }),
  })
  .superRefine(({ domains, challenge, dns }, context) => {
    const report = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message })
    if (challenge === 'dns-01' && dns === undefined) report(['dns'], 'dns-01 needs it: expected { command } or { url }')
    if (challenge !== 'dns-01' && dns !== undefined) report(['dns'], `only with dns-01, not with ${challenge}`)
    for (const [i, name] of domains.entries()) {
      if (name.startsWith('*.') && challenge !== 'dns-01')
        report(['domains', i], `a wildcard needs challenge: dns-01, not ${challenge}`)
      if (domains.indexOf(name) !== i) report(['domains', i], 'the same name twice')
    }
  })
