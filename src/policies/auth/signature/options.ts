import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { messageOf } from '../../../core/error-facts.ts'
import { duration, durationOrZero, size } from '../../../core/units.ts'
import { consumerRoles, consumerTier, keyOwner } from '../consumer-options.ts'
import { signatureAlgorithms, signatureKey } from './algorithms.ts'
import { isComponent } from './components.ts'

const keySchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[\x20-\x7e]{1,256}$/, 'expected printable ASCII')
      .describe('Value of keyid in the signature; unique.')
      .meta({ examples: ['partner'] }),
    algorithm: z.enum(signatureAlgorithms).describe('Algorithm of its signatures; others are refused.'),
    publicKey: z
      .string()
      .optional()
      .describe('PEM public key or certificate: as text, or a file relative to the working directory.')
      .meta({ examples: ['./keys/partner.pem'] }),
    secret: z
      .string()
      .optional()
      .describe('Shared secret for hmac-sha256, at least 32 bytes.')
      .meta({ examples: ['${SIGNATURE_SECRET}'] }),
    owner: keyOwner,
    tier: consumerTier('authenticated'),
    roles: consumerRoles,
  })
  .transform(({ publicKey, secret, ...key }, context) => {
    const report = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message, input: '[redacted]' })
    const isShared = key.algorithm === 'hmac-sha256'
    const [place, other] = isShared ? (['secret', 'publicKey'] as const) : (['publicKey', 'secret'] as const)
    const material = isShared ? secret : publicKey
    if ((isShared ? publicKey : secret) !== undefined) report(other, `${key.algorithm} does not use it: remove it`)
    if (material === undefined) {
      report(place, `${key.algorithm} requires it`)
      return z.NEVER
    }
    try {
      const text = isShared ? material : pemOf(material)
      signatureKey(key.algorithm, text)
      return { ...key, secret: text }
    } catch (error) {
      report(place, messageOf(error))
      return z.NEVER
    }
  })

/** Schema of the options of the signature method. `secret` of a key is the key material, public or not. */
export const signatureOptions = z.strictObject({
  keys: keySchema
    .array()
    .min(1)
    .superRefine(refuseDuplicates)
    .describe('Keys of the clients whose signatures are accepted.')
    .meta({ examples: [[{ id: 'partner', algorithm: 'ed25519', publicKey: './keys/partner.pem' }]] }),
  components: z
    .string()
    .refine(
      isComponent,
      'expected @method, @target-uri, @authority, @path, @query or the name of a field in lower case',
    )
    .array()
    .default(['@method', '@authority', '@path', '@query'])
    .describe(
      'What a signature must cover; @target-uri covers all but the method. Default @method, @authority, @path, @query. In addition ' +
        'content-digest, if there is a body.',
    ),
  maxAge: duration.prefault('5m').describe('Maximum age of a signature. Default 5m.'),
  tolerance: durationOrZero.prefault('30s').describe('Tolerated clock difference. Default 30s.'),
  maxBody: size.prefault('1mb').describe('Largest body, which is buffered to compare it with its digest. Default 1mb.'),
  replay: z
    .enum(['refuse', 'accept'])
    .default('refuse')
    .describe(
      'refuse: each signature is accepted once, so identical requests need a nonce. accept: it is accepted until it is too old. Default refuse.',
    ),
})

function pemOf(written: string): string {
  const pem = written.startsWith('-----BEGIN') ? written : readFileSync(written, 'utf8')
  if (pem.includes('PRIVATE KEY')) throw new Error('is a private key: expected the public key of the signer')
  return pem
}

function refuseDuplicates(keys: readonly { readonly id: string }[], context: z.RefinementCtx): void {
  const ids = keys.map(({ id }) => id)
  for (const [i, id] of ids.entries()) {
    const first = ids.indexOf(id)
    if (first !== i) context.addIssue({ code: 'custom', path: [i, 'id'], message: `the same ID as keys[${first}]` })
  }
}
