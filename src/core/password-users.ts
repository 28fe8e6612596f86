import { createHmac, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { decoyOf, digestProblem, hasDigest, parseDigest, type PasswordDigest } from './password-digest.ts'
import { duplicatesOf } from './duplicates.ts'

/** A user who authenticates with a password. */
export interface PasswordUser {
  readonly name: string
  /** Digest of the password in PHC form. */
  readonly password: string
}

const nameExpected = 'expected a name without ":" and control characters'

/** Schema of a user name; normalized to Unicode's composed form (NFC) after parsing. */
export const passwordUserName = z
  .string(nameExpected)
  .regex(/^[^:\p{Cc}]{1,256}$/u, nameExpected)
  .transform((name) => name.normalize('NFC'))

/** Schema of the digest of a password. */
export const passwordText = z.string().superRefine((text, context) => {
  // Redacted, as the user may have entered the password itself.
  const message = digestProblem(text)
  if (message !== null) context.addIssue({ code: 'custom', message, input: '[redacted]' })
})

/** Rejects duplicate user names. */
export function refuseRepeatedUsers(users: readonly Pick<PasswordUser, 'name'>[], context: z.RefinementCtx): void {
  for (const [i, first] of duplicatesOf(users.map(({ name }) => name)))
    context.addIssue({ code: 'custom', path: [i, 'name'], message: `the same name as users[${first}]` })
}

/** Users who authenticate with passwords. */
export class PasswordUsers<User extends PasswordUser> {
  private readonly known: ReadonlyMap<string, { readonly user: User; readonly digest: PasswordDigest }>
  /** For unknown names: decoys with the cost parameters of existing users. */
  private readonly decoys: readonly PasswordDigest[]
  private readonly secret = randomBytes(32)

  constructor(users: readonly User[]) {
    this.known = new Map(
      users.flatMap((user) => {
        const digest = parseDigest(user.password)
        return digest === null ? [] : [[user.name, { user, digest }] as const]
      }),
    )
    this.decoys = [...this.known.values()].map(({ digest }) => decoyOf(digest))
  }

  /** The user of that name, whether or not anyone has authenticated as that user. */
  find(name: string): User | null {
    return this.known.get(name)?.user ?? null
  }

  /** The user with that name and password, or null. An unknown name takes as long as a known one. */
  async verify(name: string, password: string): Promise<User | null> {
    const found = this.known.get(name)
    const digest = found?.digest ?? this.decoyFor(name)
    const isRight = digest !== undefined && (await hasDigest(password, digest))
    return isRight && found !== undefined ? found.user : null
  }

  /** Always returns the same decoy for a name. */
  private decoyFor(name: string): PasswordDigest | undefined {
    return this.decoys[createHmac('sha256', this.secret).update(name).digest().readUInt32BE() % this.decoys.length]
  }
}
