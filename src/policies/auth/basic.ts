import { createHmac, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { PasswordQueue } from '../../core/password-queue.ts'
import { passwordText, PasswordUsers, passwordUserName, refuseRepeatedUsers } from '../../core/password-users.ts'
import { basicCredentials, type BasicCredentials, dropBasicCredentials } from './basic-credentials.ts'
import { consumerRoles, consumerTier } from './consumer-options.ts'
import { CredentialError } from './credential-error.ts'
import { isForeign } from './foreign.ts'
import { IdentityCache, type Verified } from './identity-cache.ts'
import { identityOf } from './identity.ts'
import { defineAuthMethod } from './method.ts'

/** How many passwords, valid and invalid, each worker remembers, and for how long in milliseconds. */
const REMEMBERED = 10_000
const LIFETIME = 10 * 60_000

const userSchema = z.strictObject({
  name: passwordUserName.describe('User name, without ":": X-User-ID.').meta({ examples: ['ada'] }),
  password: passwordText
    .describe('Digest of the password, from `sallyport password`: argon2id or scrypt in PHC format.')
    .meta({ examples: ['${ADA_PASSWORD_DIGEST}'] }),
  tier: consumerTier('authenticated'),
  roles: consumerRoles,
})

/** Name and password of users in the configuration (RFC 7617). */
export const basic = defineAuthMethod({
  name: 'basic',
  kind: 'password',
  summary: 'User names and passwords by HTTP Basic; only digests of the passwords are stored.',
  options: z.strictObject({
    users: userSchema
      .array()
      .min(1)
      .superRefine(refuseRepeatedUsers)
      .describe('The users.')
      .meta({ examples: [[{ name: 'ada', password: '${ADA_PASSWORD_DIGEST}' }]] }),
  }),
  document: () => [{ name: 'basic', scheme: { type: 'http', scheme: 'basic' } }],
  create({ users }, { clock }) {
    const known = new PasswordUsers(
      users.map(({ name, password, tier, roles }) => {
        const identity = identityOf({ id: name, roles, scopes: [], tier, key: null, claims: {} })
        return { name, password, identity }
      }),
    )
    const remembered = new IdentityCache(REMEMBERED, LIFETIME, clock)
    const turns = new PasswordQueue()
    const secret = randomBytes(32)
    const macOf = (text: string): Buffer => createHmac('sha256', secret).update(text).digest()

    async function verify({ name, password }: BasicCredentials): Promise<Verified> {
      const user = await known.verify(name, password)
      if (user === null) throw new CredentialError('password')
      return { identity: user.identity, expires: Infinity, lifetime: LIFETIME }
    }

    return {
      authenticate(exchange, checkFailures) {
        const sent = basicCredentials(exchange.headers)
        // Browsers send these credentials automatically, even for pages of other sites.
        if (sent === null || isForeign(exchange, () => false)) return null
        // A keyed hash, so that reading memory does not give a faster way to guess passwords than their configured digests.
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
