import { AcmeError } from './acme-error.ts'
import type { Challenge } from './challenge.ts'
import type { Seal } from '../core/seal.ts'
import type { AcmeStore, Lock, RecordKind } from './store.ts'

/** Encrypted access to the records and challenges of a store. */
export class Records {
  readonly store: AcmeStore
  private readonly seal: Seal

  constructor(store: AcmeStore, seal: Seal) {
    this.store = store
    this.seal = seal
  }

  /**
   * The text of a record; null if there is none. Rejects with an AcmeError if the configured secrets do not decrypt it: otherwise, gateways
   * with different secrets would keep ordering certificates in turn.
   */
  async read(name: string, kind: RecordKind): Promise<string | null> {
    const sealed = await this.store.read(name, kind)
    if (sealed === null) return null
    const text = this.seal.open(sealed, aboutOf(name, kind))
    if (text !== null) return text
    throw new AcmeError(
      `the ${aboutOf(name, kind)} in the store cannot be decrypted with the secrets of the configuration: add the secret that it was ` +
        'encrypted with to secrets, after the current one; if that secret is lost, delete it from the store',
      'sealed',
    )
  }

  /** Rejects with an AcmeError if the lock is now held by another gateway. */
  async write(lock: Lock, kind: RecordKind, text: string): Promise<void> {
    const { name } = lock
    if (await this.store.write(lock, kind, this.seal.seal(text, aboutOf(name, kind)))) return
    throw new AcmeError(`another gateway has taken over the ${aboutOf(name, kind)}`, 'stale')
  }

  /**
   * Publishes a challenge to all gateways for `ttl` milliseconds. Its answer is encrypted as well: it is not secret, but whoever could
   * insert one would get certificates for other people's names.
   */
  present(challenge: Challenge, ttl: number): Promise<void> {
    const keyAuthorization = this.seal.seal(challenge.keyAuthorization, aboutChallenge(challenge))
    return this.store.present({ ...challenge, keyAuthorization }, ttl)
  }

  /** Challenges published by gateways with the same secrets. */
  async challenges(): Promise<Challenge[]> {
    return (await this.store.challenges()).flatMap((sealed) => {
      const keyAuthorization = this.seal.open(sealed.keyAuthorization, aboutChallenge(sealed))
      return keyAuthorization === null ? [] : [{ ...sealed, keyAuthorization }]
    })
  }
}

function aboutOf(name: string, kind: RecordKind): string {
  return `${kind} of ${name}`
}

function aboutChallenge({ type, domain, token }: Challenge): string {
  return `${type} challenge ${token} for ${domain}`
}
