import type { Clock } from '../../core/clock.ts'
import { SingleFlight } from '../../core/single-flight.ts'
import { CredentialError, type CredentialReason } from './credential-error.ts'
import { DigestMap } from './digest-map.ts'
import type { Identity } from './identity.ts'

/** What verifying a token or a key brought. */
export interface Verified {
  readonly identity: Identity
  /** Wall-clock milliseconds from which on it is not used again: its own end. */
  readonly expires: number
  /** How long it may be used, in milliseconds; Infinity where only its end counts. */
  readonly lifetime: number
}

/** A verified token or key, as it is kept. */
interface Accepted {
  readonly identity: Identity
  readonly expires: number
  /** Monotonic milliseconds. */
  readonly until: number
}

/** A token or key that was refused, as it is kept. */
interface Refused {
  readonly error: CredentialError
  /** Monotonic milliseconds. */
  readonly until: number
}

/** The words of others, which count for a while. Whatever else is wrong with a token is found out anew. */
const KEPT: ReadonlySet<CredentialReason> = new Set(['inactive', 'key', 'expired-key', 'password'])

/**
 * Who is behind which token or key, by its digest, so that none of them lies in memory.
 * Several requests that bring one which is not known yet wait for one verification.
 */
export class IdentityCache {
  private readonly clock: Clock
  private readonly refusalLifetime: number
  private readonly entries: DigestMap<Accepted>
  /** Apart, so that bad ones cannot push good ones out. */
  private readonly refusals: DigestMap<Refused>
  private readonly verifying = new SingleFlight<Identity>()
  /** Counts `clear` and `forget`, for verifications that began before it. */
  private generation = 0

  /** `size` is in tokens or keys; `refusalLifetime`, in milliseconds, is how long others are believed that one is bad. */
  constructor(size: number, refusalLifetime: number, clock: Clock) {
    this.clock = clock
    this.refusalLifetime = refusalLifetime
    this.entries = new DigestMap(Math.ceil(size / 2))
    this.refusals = new DigestMap(Math.ceil(size / 2))
  }

  /** Who is behind it, or null where that is not known. Throws CredentialError where it is known to be bad. */
  find(digest: string): Identity | null {
    const entry = this.entries.get(digest)
    if (entry === undefined) return this.refused(digest)
    const { identity, expires, until } = entry
    if (expires > this.clock.wall() && (until === Infinity || until > this.clock.now())) return identity
    this.entries.delete(digest)
    return null
  }

  /** Waits for `verify`, or for the one that is under way for the same one, and keeps what it brings. */
  resolve(digest: string, verify: () => Promise<Verified>): Promise<Identity> {
    return this.verifying.join(digest, () => this.keep(digest, verify))
  }

  /** Forgets one; nothing is kept either of what is being verified meanwhile. */
  forget(digest: string): void {
    this.generation++
    this.entries.delete(digest)
    this.refusals.delete(digest)
    this.verifying.forget()
  }

  /** Forgets everything, also what is being verified: the keys have changed. */
  clear(): void {
    this.generation++
    this.entries.clear()
    this.refusals.clear()
    this.verifying.forget()
  }

  /** Tokens or keys in memory. */
  get size(): number {
    return this.entries.size + this.refusals.size
  }

  private async keep(digest: string, verify: () => Promise<Verified>): Promise<Identity> {
    const { generation } = this
    // From when it was asked: the answer may have been on its way for long.
    const asked = this.clock.now()
    try {
      const { identity, expires, lifetime } = await verify()
      const until = asked + lifetime
      if (generation === this.generation) this.entries.set(digest, { identity, expires, until })
      return identity
    } catch (error) {
      if (error instanceof CredentialError && KEPT.has(error.reason) && generation === this.generation)
        this.refusals.set(digest, { error, until: asked + this.refusalLifetime })
      throw error
    }
  }

  private refused(digest: string): null {
    const refusal = this.refusals.get(digest)
    if (refusal === undefined) return null
    if (refusal.until > this.clock.now()) throw refusal.error
    this.refusals.delete(digest)
    return null
  }
}
