import { createHmac, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { repeatsOf } from '../../core/repeats.ts'
import { basicCredentials, type BasicCredentials, dropBasicCredentials } from './basic-credentials.ts'
import { CredentialError } from './credential-error.ts'
import { isForeign } from './foreign.ts'
import { IdentityCache, type Verified } from './identity-cache.ts'
import { identityOf } from './identity.ts'
import { defineAuthMethod } from './method.ts'
import { decoyOf, digestExpected, hasDigest, parseDigest } from './password-digest.ts'
import { PasswordTurns } from './password-turns.ts'

/** Passwords, good and bad ones, that each worker remembers, and for how long, in milliseconds. */
const REMEMBERED = 10_000
const LIFETIME = 10 * 60_000

const nameExpected = 'expected a name without ":" and control characters'

const userSchema = z.strictObject({
  name: z
    .string(nameExpected)
    .regex(/^[^:\p{Cc}]{1,256}$/u, nameExpected)
    .transform((name) => name.normalize('NFC'))
    .describe('User name, without ":": X-User-ID.'),
  password: z
    .string()
    .superRefine((text, context) => {
      // Not shown, as it may be the password itself.
      if (parseDigest(text) === null) context.addIssue({ code: 'custom', message: digestExpected, input: '[redacted]' })
    })
    .describe('Digest of the password, from `sallyport password`: scrypt in PHC format.'),
  tier: z.string().min(1).default('authenticated').describe('Tier of the consumer. Default authenticated.'),
  roles: z.string().min(1).array().default([]).describe('Roles of the consumer. Default none.'),
})

/** Name and password of users of the configuration (RFC 7617). */
export const basic = defineAuthMethod({
  name: 'basic',
  kind: 'password',
  summary: 'User names and passwords by HTTP Basic; only digests of the passwords are stored.',
  options: z.strictObject({
    users: userSchema.array().min(1).superRefine(refuseDuplicates).describe('The users.'),
  }),
  document: () => [{ name: 'basic', scheme: { type: 'http', scheme: 'basic' } }],
  create({ users }, { clock }) {
    const known = new Map(
      users.flatMap(({ name, password, tier, roles }) => {
        const digest = parseDigest(password)
        const identity = identityOf({ id: name, roles, scopes: [], tier, key: null, claims: {} })
        return digest === null ? [] : [[name, { digest, identity }] as const]
      }),
    )
    /** For names that nobody has: of the effort of somebody's, always the same one for a name. */
    const decoys = [...known.values()].map(({ digest }) => decoyOf(digest))
    const remembered = new IdentityCache(REMEMBERED, LIFETIME, clock)
    const turns = new PasswordTurns()
    const secret = randomBytes(32)
    const macOf = (text: string): Buffer => createHmac('sha256', secret).update(text).digest()

    async function verify({ name, password }: BasicCredentials): Promise<Verified> {
      const user = known.get(name)
      const digest = user?.digest ?? decoys[macOf(name).readUInt32BE() % decoys.length]
      const isRight = digest !== undefined && (await hasDigest(password, digest))
      if (user === undefined || !isRight) throw new CredentialError('password')
      return { identity: user.identity, expires: Infinity, lifetime: LIFETIME }
    }

    return {
      authenticate(exchange, checkFailures) {
        const sent = basicCredentials(exchange.headers)
        // Browsers send it by themselves, for pages of others too.
        if (sent === null || isForeign(exchange, () => false)) return null
        // Keyed, so that nobody guesses passwords by what lies in memory faster than by their digests.
        const mac = macOf(`${sent.name}:${sent.password}`).toString('base64url')
        const found = remembered.find(mac)
        if (found !== null) return found
        checkFailures?.(exchange)
        const { address } = exchange.client
        return remembered.resolve(mac, () => turns.take(address, () => verify(sent)))
      },
      conceal: ({ headers }) => dropBasicCredentials(headers),
    }
  },
})

function refuseDuplicates(users: readonly { name: string }[], context: z.RefinementCtx): void {
  for (const [i, first] of repeatsOf(users.map(({ name }) => name))) {
    context.addIssue({ code: 'custom', path: [i, 'name'], message: `the same name as users[${first}]` })
  }
}
