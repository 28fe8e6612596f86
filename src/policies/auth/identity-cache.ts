import type { Clock } from '../../core/clock.ts'
import { SingleFlight } from '../../core/single-flight.ts'
import { CredentialError, type CredentialReason } from './credential-error.ts'
import { DigestMap } from './digest-map.ts'
import type { Identity } from './identity.ts'

/** The result of verifying a token or a key. */
export interface Verified {
  readonly identity: Identity
  /** Expiry in wall-clock milliseconds, from which on it is not used any more. */
  readonly expires: number
  /** How long the result may be cached, in milliseconds; Infinity if only `expires` counts. */
  readonly lifetime: number
}

/** A verified token or key, as cached. */
interface Accepted {
  readonly identity: Identity
  readonly expires: number
  /** Monotonic milliseconds. */
  readonly until: number
}

/** A refused token or key, as cached. */
interface Refused {
  readonly error: CredentialError
  /** Monotonic milliseconds. */
  readonly until: number
}

/** Verdicts of other parties, which are cached for a while. Any other fault of a token is cheap to detect again. */
const KEPT: ReadonlySet<CredentialReason> = new Set(['inactive', 'key', 'expired-key', 'password'])

/**
 * Maps tokens and keys, by their digests so that none of them is kept in memory, to identities. Concurrent requests with the same
 * unknown credentials share one verification.
 */
export class IdentityCache {
  private readonly clock: Clock
  private readonly refusalLifetime: number
  private readonly entries: DigestMap<Accepted>
  /** Kept separately, so that invalid credentials cannot evict valid ones. */
  private readonly refusals: DigestMap<Refused>
  private readonly verifying = new SingleFlight<Identity>()
  /** Incremented by `clear` and `forget`, so that verifications started before are not cached. */
  private generation = 0

  /**
   * `size` is the number of tokens or keys; `refusalLifetime`, in milliseconds, is how long the verdict of another party that one
   * is invalid is cached.
   */
  constructor(size: number, refusalLifetime: number, clock: Clock) {
    this.clock = clock
    this.refusalLifetime = refusalLifetime
    this.entries = new DigestMap(Math.ceil(size / 2))
    this.refusals = new DigestMap(Math.ceil(size / 2))
  }

  /** The identity behind the digest, or null if it is not known. Throws CredentialError if the credentials are known to be invalid. */
  find(digest: string): Identity | null {
    const entry = this.entries.get(digest)
    if (entry === undefined) return this.refused(digest)
    const { identity, expires, until } = entry
    if (expires > this.clock.wall() && (until === Infinity || until > this.clock.now())) return identity
    this.entries.delete(digest)
    return null
  }

  /** Waits for `verify`, or for a verification of the same digest that is already running, and caches its result. */
  resolve(digest: string, verify: () => Promise<Verified>): Promise<Identity> {
    return this.verifying.join(digest, () => this.keep(digest, verify))
  }

  /** Drops one entry; a verification that is still running is not cached either. */
  forget(digest: string): void {
    this.generation++
    this.entries.delete(digest)
    this.refusals.delete(digest)
    this.verifying.forget()
  }

  /** Drops everything, including running verifications: the keys have changed. */
  clear(): void {
    this.generation++
    this.entries.clear()
    this.refusals.clear()
    this.verifying.forget()
  }

  /** Number of tokens and keys in memory. */
  get size(): number {
    return this.entries.size + this.refusals.size
  }

  private async keep(digest: string, verify: () => Promise<Verified>): Promise<Identity> {
    const { generation } = this
    // The lifetime starts when the question was sent, as the reply may have taken long.
    const started = this.clock.now()
    try {
      const { identity, expires, lifetime } = await verify()
      const until = started + lifetime
      if (generation === this.generation) this.entries.set(digest, { identity, expires, until })
      return identity
    } catch (error) {
      if (error instanceof CredentialError && KEPT.has(error.reason) && generation === this.generation)
        this.refusals.set(digest, { error, until: started + this.refusalLifetime })
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
