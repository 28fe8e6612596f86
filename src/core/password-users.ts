import { createHmac, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { decoyOf, digestExpected, hasDigest, parseDigest, type PasswordDigest } from './password-digest.ts'
import { repeatsOf } from './repeats.ts'

/** Somebody with a password. */
export interface PasswordUser {
  readonly name: string
  /** Its digest in PHC form. */
  readonly password: string
}

const nameExpected = 'expected a name without ":" and control characters'

/** Schema of the name of a user, in Unicode's composed form after parsing. */
export const passwordUserName = z
  .string(nameExpected)
  .regex(/^[^:\p{Cc}]{1,256}$/u, nameExpected)
  .transform((name) => name.normalize('NFC'))

/** Schema of the digest of a password. */
export const passwordText = z.string().superRefine((text, context) => {
  // Not shown, as it may be the password itself.
  if (parseDigest(text) === null) context.addIssue({ code: 'custom', message: digestExpected, input: '[redacted]' })
})

/** Refuses users of one name. */
export function refuseRepeatedUsers(users: readonly Pick<PasswordUser, 'name'>[], context: z.RefinementCtx): void {
  for (const [i, first] of repeatsOf(users.map(({ name }) => name)))
    context.addIssue({ code: 'custom', path: [i, 'name'], message: `the same name as users[${first}]` })
}

/** Users who prove who they are by their passwords. */
export class PasswordUsers<User extends PasswordUser> {
  private readonly known: ReadonlyMap<string, { readonly user: User; readonly digest: PasswordDigest }>
  /** For names that nobody has: of the effort of somebody's. */
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

  /** The user of that name, whether or not anybody has proved to be it. */
  find(name: string): User | null {
    return this.known.get(name)?.user ?? null
  }

  /** The user whose name and password these are, or null; a name that nobody has takes as long as one of somebody. */
  async verify(name: string, password: string): Promise<User | null> {
    const found = this.known.get(name)
    const digest = found?.digest ?? this.decoyFor(name)
    const isRight = digest !== undefined && (await hasDigest(password, digest))
    return isRight && found !== undefined ? found.user : null
  }

  /** Always the same one for a name. */
  private decoyFor(name: string): PasswordDigest | undefined {
    return this.decoys[createHmac('sha256', this.secret).update(name).digest().readUInt32BE() % this.decoys.length]
  }
}
