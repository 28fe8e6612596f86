import { createHash, createPublicKey } from 'node:crypto'
import type { Fields } from '../../core/value.ts'
import { algorithmsOf, publicAlgorithms, secretAlgorithms, weaknessOf } from '../../policies/auth/keys.ts'
import { textOf } from '../read.ts'
import type { Entry } from '../report.ts'
import { hasVariable, wholeVariable } from '../variables.ts'
import type { Context } from './context.ts'
import type { Entity } from './entities.ts'
import type { Identities, TokenIssuer } from './identities.ts'
import { Names } from '../names.ts'

/** Makes the digest of a password, like `sallyport password`. */
export type MakeDigest = (password: string) => Promise<string>

/** Facts about a consumer apart from its credentials. */
export interface ConsumerFacts {
  /** Groups of acl. */
  readonly roles: readonly string[]
  /** The first of its consumer groups. */
  readonly tier: string | null
  /** Why all of its requests are refused; null if they are not. */
  readonly blocked: string | null
}

/** The credentials of all consumers. Unused ones are reported by `tellUnused`. */
export async function readIdentities(
  context: Context,
  factsOf: (consumer: Entity) => ConsumerFacts,
  refused: ReadonlySet<string>,
  makeDigest: MakeDigest,
): Promise<Identities & { readonly tellUnused: () => void }> {
  const { entities } = context
  const used = new Set<string>()
  const imported: Readonly<Record<'apiKeys' | 'users' | 'tokens', Entry[]>> = { apiKeys: [], users: [], tokens: [] }
  const owned = (kind: string): (readonly [credential: Entity, consumer: Entity, facts: ConsumerFacts])[] =>
    entities.ofKind(kind).flatMap((credential) => {
      const consumer = entities.of(credential, 'consumer')
      if (consumer === null || consumer === undefined) {
        credential.entry.tell('left out', 'Its consumer is not in the file.')
        return []
      }
      const facts = factsOf(consumer)
      if (facts.blocked === null) return [[credential, consumer, facts] as const]
      credential.entry.tell('left out', `All requests of its consumer are refused: ${facts.blocked}`)
      return []
    })

  const apiKeys = apiKeysOf([...owned('keyauth_credentials')], context, imported.apiKeys)
  const users = await usersOf(owned('basicauth_credentials'), context, imported.users, makeDigest)
  const tokens = tokensOf(owned('jwt_secrets'), context, imported.tokens)
  return {
    apiKeys,
    users,
    tokens,
    refused,
    use: (kind) => void used.add(kind),
    tellUnused() {
      for (const [kind, credentials] of Object.entries(imported))
        if (!used.has(kind))
          for (const entry of credentials) entry.tell('left out', 'No plugin in the file uses these credentials.')
    },
  }
}

type Owned = readonly (readonly [credential: Entity, consumer: Entity, facts: ConsumerFacts])[]

function apiKeysOf(owned: Owned, { variables }: Context, imported: Entry[]): Fields[] {
  const ids = new Names()
  const digests = new Set<string>()
  return owned.flatMap(([{ entry, fields }, consumer, { roles, tier }]): Fields[] => {
    const key = textOf(fields['key'])
    const owner = consumer.entry.name
    if (key === undefined || key === '') {
      entry.tell(
        'left out',
        'It has no key, so Kong generates one at each start. Create a key with sallyport keys create.',
      )
      return []
    }
    const variable = wholeVariable(key)
    const sha256 = hasVariable(key)
      ? variables.ask(
          variable === null ? null : `${variable}_SHA256`,
          `KEY_${owner}_SHA256`,
          `the SHA-256 of the API key of ${owner}${variable === null ? '' : `, from printf %s "$${variable}" | sha256sum`}`,
          entry,
        )
      : createHash('sha256').update(key).digest('hex')
    if (digests.has(sha256)) {
      entry.tell('left out', 'It is a duplicate of another key.')
      return []
    }
    digests.add(sha256)
    if (fields['ttl'] !== undefined && fields['ttl'] !== null)
      entry.tell('different', 'ttl was left out: set expires of the key.')
    imported.push(entry)
    const id = ids.take(owner, 'key')
    return [
      {
        id,
        sha256,
        ...(id !== owner && owner !== '' && { owner }),
        ...(tier !== null && { tier }),
        ...(roles.length > 0 && { roles: [...roles] }),
      },
    ]
  })
}

async function usersOf(
  owned: Owned,
  { variables }: Context,
  imported: Entry[],
  makeDigest: MakeDigest,
): Promise<Fields[]> {
  const users: Fields[] = []
  const names = new Set<string>()
  for (const [{ entry, fields }, consumer, { roles, tier }] of owned) {
    const name = textOf(fields['username']) ?? ''
    const password = textOf(fields['password']) ?? ''
    const normal = name.normalize('NFC')
    if (!/^[^:\p{Cc}]{1,256}$/u.test(name) || names.has(normal)) {
      entry.tell('left out', names.has(normal) ? 'The user name is a duplicate.' : 'Its user name is not valid.')
      continue
    }
    if (password === '' || /^[0-9a-f]{40}$/i.test(password) || /\p{Cc}/u.test(password)) {
      entry.tell(
        'left out',
        'Its password is missing, or already hashed by Kong: hash the password with sallyport password.',
      )
      continue
    }
    names.add(normal)
    const variable = wholeVariable(password)
    const digest = hasVariable(password)
      ? variables.ask(
          variable === null ? null : `${variable}_DIGEST`,
          `PASSWORD_${name}_DIGEST`,
          `the hash of the password of ${name}, from sallyport password`,
          entry,
        )
      : await makeDigest(password)
    if (consumer.entry.name !== name)
      entry.tell('different', `Services get the name ${name}, not that of the consumer ${consumer.entry.name}.`)
    imported.push(entry)
    users.push({
      name,
      password: digest,
      ...(tier !== null && { tier }),
      ...(roles.length > 0 && { roles: [...roles] }),
    })
  }
  return users
}

function tokensOf(owned: Owned, { variables }: Context, imported: Entry[]): TokenIssuer[] {
  const known = new Set<string>()
  return owned.flatMap(([{ entry, fields }, consumer, { roles }]): TokenIssuer[] => {
    const key = textOf(fields['key']) ?? ''
    const algorithm = textOf(fields['algorithm']) ?? 'HS256'
    const leaveOut = (why: string): TokenIssuer[] => {
      entry.tell('left out', why)
      return []
    }
    if (key === '') return leaveOut('It has no key, so Kong generates one at each start. Set a key.')
    if (known.has(key)) return leaveOut(`The key ${key} is a duplicate.`)
    const shared = { key, consumer: consumer.entry.name, algorithm }
    const isSecret = Object.hasOwn(secretAlgorithms, algorithm)
    if (!isSecret && !publicAlgorithms.some((each) => each === algorithm))
      return leaveOut(`The algorithm ${algorithm} is not supported: see docs/authentication.md.`)
    if (roles.length > 0)
      entry.tell(
        'different',
        'With a token, roles come from the token (claims.roles), not from the groups of the consumer.',
      )
    if (isSecret) {
      const secret = textOf(fields['secret']) ?? ''
      if (secret === '') return leaveOut('It has no secret, so Kong generates one at each start. Set a secret.')
      const min = algorithm === 'HS256' ? 32 : algorithm === 'HS384' ? 48 : 64
      if (!hasVariable(secret) && Buffer.byteLength(secret) < min)
        entry.tell(
          'different',
          `Its secret is shorter than the ${min} bytes that ${algorithm} requires, and will be refused. Use a longer one.`,
        )
      known.add(key)
      imported.push(entry)
      const variable = variables.ask(
        wholeVariable(secret),
        `JWT_SECRET_${key}`,
        `the ${algorithm} secret of ${key}, at least ${min} bytes`,
        entry,
      )
      return [{ ...shared, secret: variable, publicKey: null }]
    }
    const pem = textOf(fields['rsa_public_key']) ?? ''
    if (hasVariable(pem)) {
      known.add(key)
      imported.push(entry)
      const what = `the public key of ${key}, as PEM`
      return [
        { ...shared, secret: null, publicKey: variables.ask(wholeVariable(pem), `JWT_PUBLIC_KEY_${key}`, what, entry) },
      ]
    }
    const problem = problemOfKey(pem, algorithm)
    if (problem !== null) return leaveOut(`Its public key cannot be used: ${problem}.`)
    known.add(key)
    imported.push(entry)
    return [{ ...shared, secret: null, publicKey: pem }]
  })
}

function problemOfKey(pem: string, algorithm: string): string | null {
  if (!pem.startsWith('-----BEGIN') || pem.includes('PRIVATE KEY')) return 'it is not a public key in PEM'
  try {
    const key = createPublicKey(pem)
    return weaknessOf(key) ?? (algorithmsOf(key).includes(algorithm) ? null : `it is not a key for ${algorithm}`)
  } catch {
    return 'it is not a public key in PEM'
  }
}
