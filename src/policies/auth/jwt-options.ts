import { codeOf, messageOf } from '../../core/error-facts.ts'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { duplicatesOf } from '../../core/duplicates.ts'
import { isToken } from '../../core/field.ts'
import { oneOrMore } from '../../core/one-or-more.ts'
import { duration, durationOrZero } from '../../core/units.ts'
import { certificates } from '../../tls/pem-schema.ts'
import { fieldName } from '../field-name.ts'
import { originPattern } from '../origins.ts'
import { cacheSize } from './cache-size.ts'
import { claimNames } from './claims.ts'
import { checkedTokens } from './introspector.ts'
import { algorithmsOf, publicAlgorithms, secretAlgorithms, weaknessOf } from './keys.ts'
import { httpUrl, isHttpUrl } from '../../openid/http-url.ts'

type SecretAlgorithm = keyof typeof secretAlgorithms

const publicKey = z.string().transform((written, context) => {
  try {
    const pem = written.startsWith('-----BEGIN') ? written : readFileSync(written, 'utf8')
    if (pem.includes('PRIVATE KEY')) throw new Error('it is a private key: expected the public key of the issuer')
    const weakness = weaknessOf(createPublicKey(pem))
    if (weakness === null) return pem
    context.addIssue({ code: 'custom', message: `cannot be used to verify tokens: ${weakness}` })
    return z.NEVER
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? `there is no file ${resolve(written)}` : messageOf(error)
    context.addIssue({ code: 'custom', message: `is neither a public key in PEM nor a file with one: ${reason}` })
    return z.NEVER
  }
})

const issuerName = z.string().min(1)

/** Options that can be set per issuer: where its keys are, and the form of its tokens. */
const issuerFields = {
  secret: oneOrMore(z.string())
    .optional()
    .describe('Shared secret for HS256, HS384 and HS512; several during rotation.')
    .meta({ examples: ['${JWT_SECRET}'] }),
  publicKeys: oneOrMore(publicKey)
    .optional()
    .describe('PEM public keys or certificates: as text, or a file relative to the working directory.')
    .meta({ examples: ['./keys/issuer.pem'] }),
  jwks: httpUrl
    .optional()
    .describe('URL of a JSON Web Key Set.')
    .meta({ examples: ['https://login.example.com/.well-known/jwks.json'] }),
  ca: certificates
    .optional()
    .describe(
      'File with CA certificates, in PEM, to trust when keys are fetched, instead of those of Node.js. Default those of Node.js.',
    )
    .meta({ examples: ['./tls/ca.pem'] }),
  algorithms: z
    .enum(['HS256', 'HS384', 'HS512', ...publicAlgorithms])
    .array()
    .min(1)
    .optional()
    .describe('Accepted algorithms. Default HS256 with a secret; RS256, PS256, ES256, EdDSA and Ed25519 otherwise.'),
  audience: oneOrMore(z.string())
    .optional()
    .describe('Accepted audiences; `aud` must contain one. If not set, tokens with an audience are refused.')
    .meta({ examples: [['https://api.example.com']] }),
  type: z
    .string()
    .min(1)
    .optional()
    .describe('Required `typ` in the header, such as at+jwt.')
    .meta({ examples: ['at+jwt'] }),
  introspection: checkedTokens
    .optional()
    .describe('Asks an endpoint whether the token is still active, once its signature is verified (RFC 7662).'),
}

/** Schema of one of several issuers; options that it leaves out are taken from those beside `issuers`. */
const oneOfIssuers = z.strictObject({
  issuer: issuerName
    .describe(
      'Required `iss`, different for each issuer. Without secret, publicKeys and jwks, the keys come from this OpenID provider.',
    )
    .meta({ examples: ['https://login.example.com'] }),
  ...issuerFields,
  tolerance: durationOrZero.optional().describe('Tolerated clock difference.'),
  claims: claimNames.optional().describe('Claims that describe the consumer.'),
  refresh: duration.optional().describe('How often the key set is fetched again.'),
})

/** Schema of the options of the jwt method. */
export const jwtOptions = z
  .strictObject({
    issuer: issuerName
      .optional()
      .describe('Required `iss`. Without secret, publicKeys and jwks, the keys come from this OpenID provider.')
      .meta({ examples: ['https://login.example.com'] }),
    ...issuerFields,
    issuers: oneOfIssuers
      .array()
      .min(1)
      .optional()
      .describe(
        "Several issuers, each with its own keys, instead of issuer, secret, publicKeys and jwks. The token's `iss` selects the issuer. Other options apply to issuers that do not set their own.",
      )
      .meta({ examples: [[{ issuer: 'https://login.example.com' }, { issuer: 'https://partners.example.com' }]] }),
    tolerance: durationOrZero.prefault('5s').describe('Tolerated clock difference. Default 5s.'),
    claims: claimNames.prefault({}).describe('Claims that describe the consumer.'),
    refresh: duration.prefault('10m').describe('How often the key set is fetched again. Default 10m.'),
    header: z
      .union([fieldName, z.literal(false)])
      .default('Authorization')
      .describe(
        "Header with the token, after 'Bearer ', which is optional in headers other than Authorization. false: none, and Authorization is left to the service. Default Authorization.",
      ),
    query: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Query parameter with the token, if neither header nor cookie has it: for clients that can send neither, such as browsers opening WebSockets. It is removed before the request is logged or forwarded.',
      )
      .meta({ examples: ['access_token'] }),
    cookie: z
      .string()
      .refine(isToken, 'expected the name of a cookie')
      .optional()
      .describe('Cookie with the token, if the header has none.')
      .meta({ examples: ['token'] }),
    subprotocol: z
      .string()
      .refine(isToken, 'expected the name of a subprotocol, such as bearer')
      .optional()
      .describe(
        "Name in Sec-WebSocket-Protocol that the token may follow, if it is nowhere else: new WebSocket(url, ['bearer', token]). Both are removed before the request is forwarded.",
      )
      .meta({ examples: ['bearer'] }),
    trustedOrigins: originPattern
      .refine((origin) => origin !== '*', '"*" would let every site act for its visitors; expected a list of origins')
      .array()
      .default([])
      .describe(
        'Other origins whose pages may use the cookie for unsafe methods, such as https://app.example.com; those that cors allows credentials are included. Default none.',
      )
      .meta({ examples: [['https://app.example.com']] }),
    cacheSize,
  })
  .superRefine(checkOptions)

/** The options of the jwt method after parsing. */
export type JwtOptions = z.output<typeof jwtOptions>

/** An issuer whose tokens are accepted; `issuer` is undefined if any `iss` is accepted. */
export type IssuerOptions = Omit<JwtOptions, keyof PlaceOptions | 'issuers' | 'trustedOrigins' | 'cacheSize'>

type KeyOptions = Pick<JwtOptions, 'secret' | 'publicKeys' | 'jwks' | 'issuer' | 'algorithms'>

type OneOfIssuers = z.output<typeof oneOfIssuers>

type PlaceOptions = Pick<JwtOptions, 'header' | 'cookie' | 'query' | 'subprotocol'>

/** The issuers whose tokens are accepted. */
export function issuersOf(options: JwtOptions): readonly IssuerOptions[] {
  return options.issuers?.map((own) => merged(own, options)) ?? [options]
}

/** Merges an issuer's options with the shared ones; keys are never shared. */
function merged(own: OneOfIssuers, all: JwtOptions): IssuerOptions {
  return {
    ...own,
    ca: own.ca ?? all.ca,
    algorithms: own.algorithms ?? all.algorithms,
    audience: own.audience ?? all.audience,
    type: own.type ?? all.type,
    introspection: own.introspection ?? all.introspection,
    tolerance: own.tolerance ?? all.tolerance,
    claims: own.claims ?? all.claims,
    refresh: own.refresh ?? all.refresh,
  }
}

/** The algorithms allowed by the options. */
export function allowedAlgorithms({ algorithms, secret, publicKeys, jwks }: KeyOptions): readonly string[] {
  if (algorithms !== undefined) return algorithms
  const needsPublic = secret === undefined || publicKeys !== undefined || jwks !== undefined
  return [
    ...(secret === undefined ? [] : ['HS256']),
    ...(needsPublic ? ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'] : []),
  ]
}

/** Whether the algorithm uses a shared secret. */
export function isSecretAlgorithm(algorithm: string): algorithm is SecretAlgorithm {
  return Object.hasOwn(secretAlgorithms, algorithm)
}

function checkOptions(
  options: KeyOptions & PlaceOptions & { readonly issuers?: readonly OneOfIssuers[] | undefined },
  context: z.RefinementCtx,
): void {
  const { issuers, algorithms } = options
  checkAddresses(options, context)
  if (issuers === undefined) return checkKeys(options, [], context)
  for (const name of ['issuer', 'secret', 'publicKeys', 'jwks'] as const)
    if (options[name] !== undefined)
      context.addIssue({
        code: 'custom',
        path: [name],
        message: `${name} together with issuers: set it for one of them`,
        input: '[redacted]',
      })
  for (const [i, own] of issuers.entries())
    checkKeys({ ...own, algorithms: own.algorithms ?? algorithms }, ['issuers', i], context)
  for (const [i, first] of duplicatesOf(issuers.map(({ issuer }) => issuer)))
    context.addIssue({
      code: 'custom',
      path: ['issuers', i, 'issuer'],
      message: `the same issuer as issuers[${first}]; expected another issuer, or all of its keys in one place`,
    })
}

/** Checks that tokens are read from at least one place. */
function checkAddresses({ header, cookie, query, subprotocol }: PlaceOptions, context: z.RefinementCtx): void {
  if (header !== false || (cookie ?? query ?? subprotocol) !== undefined) return
  const message = 'there is no place for the token: set a header, a cookie, a query parameter or a subprotocol'
  context.addIssue({ code: 'custom', path: ['header'], message })
}

/** Checks that every algorithm has a key, every key an algorithm, and that secrets are long enough. */
function checkKeys(options: KeyOptions, at: readonly (string | number)[], context: z.RefinementCtx): void {
  const { secret, publicKeys, jwks, issuer } = options
  const report = (path: string[], message: string) =>
    context.addIssue({ code: 'custom', path: [...at, ...path], message, input: '[redacted]' })
  if ([secret, publicKeys, jwks, issuer].every((source) => source === undefined))
    return report([], 'has no keys to verify tokens with: set secret, publicKeys, jwks or issuer')
  const allowed = allowedAlgorithms(options)
  const secretNeeded = allowed.find(isSecretAlgorithm)
  const publicNeeded = allowed.find((algorithm) => !isSecretAlgorithm(algorithm))
  if (publicKeys !== undefined && jwks !== undefined)
    report(['jwks'], 'jwks together with publicKeys: set only one of them')
  if (secretNeeded !== undefined && secret === undefined) report(['algorithms'], `${secretNeeded} needs a secret`)
  if (secretNeeded === undefined && secret !== undefined)
    report(['secret'], 'no algorithm uses the secret: add HS256 to algorithms')
  if (publicNeeded === undefined && (publicKeys ?? jwks) !== undefined)
    report(
      [publicKeys === undefined ? 'jwks' : 'publicKeys'],
      'no algorithm uses public keys: add RS256 or another to algorithms',
    )
  if (publicNeeded !== undefined && publicKeys === undefined && jwks === undefined && !isHttpUrl(issuer ?? ''))
    report(
      issuer === undefined ? ['algorithms'] : ['issuer'],
      `${publicNeeded} needs publicKeys, jwks, or an issuer that is the URL of an OpenID provider`,
    )
  for (const pem of publicNeeded === undefined ? [] : (publicKeys ?? [])) {
    const usable = algorithmsOf(createPublicKey(pem))
    if (!usable.some((algorithm) => allowed.includes(algorithm)))
      report(['publicKeys'], `no algorithm uses one of the keys: add ${usable.join(' or ')} to algorithms`)
  }
  const bytes = Math.max(...allowed.filter(isSecretAlgorithm).map((algorithm) => secretAlgorithms[algorithm]))
  if (secret?.some((text) => Buffer.byteLength(text) < bytes))
    report(
      ['secret'],
      `expected at least ${bytes} bytes, because a shorter secret is easy to guess (RFC 7518 section 3.2)`,
    )
}
