import { GatewayError } from '../../../core/errors.ts'
import type { Decision, Meter, StoreFailureMode, SyncMeter } from '../meter.ts'
import type { Question, RedisMeter } from './redis-meter.ts'
import type { RedisUse } from '../../../redis/use.ts'

/** A pending decision. */
interface SingleRequest extends Question {
  readonly resolve: (decision: Decision | null) => void
  readonly reject: (error: unknown) => void
}

/** Most requests that one script decides: Redis is blocked while it runs. */
const BATCH = 64

/**
 * A meter in Redis, with a fallback while Redis is unavailable. Requests of one turn of the event loop are sent to Redis together:
 * a script for many decisions costs little more than a script for one.
 */
export class GuardedMeter implements Meter {
  private readonly remote: RedisMeter
  private readonly local: SyncMeter
  private readonly use: RedisUse
  private readonly mode: StoreFailureMode
  private waiting: SingleRequest[] = []
  private readonly flush = (): void => {
    const { waiting } = this
    this.waiting = []
    for (let i = 0; i < waiting.length; i += BATCH) void this.ask(waiting.slice(i, i + BATCH))
  }

  constructor(remote: RedisMeter, local: SyncMeter, use: RedisUse, mode: StoreFailureMode) {
    this.remote = remote
    this.local = local
    this.use = use
    this.mode = mode
  }

  decide(client: string, cost: number): Decision | null | Promise<Decision | null> {
    if (this.use.down) return this.without(client, cost)
    return new Promise((resolve, reject) => {
      if (this.waiting.length === 0) setImmediate(this.flush)
      this.waiting.push({ client, cost, resolve, reject })
    })
  }

  async forget(client: string): Promise<boolean> {
    this.local.forget(client)
    if (this.use.down) return false
    const forgotten = await this.use.ask(
      'forget',
      async () => this.remote.forget(client),
      async () => this.remote.probe(client),
    )
    return forgotten ?? false
  }

  private async ask(batch: readonly SingleRequest[]): Promise<void> {
    const decisions = await this.use.ask(
      'decide',
      () => this.remote.decideAll(batch),
      () => this.remote.probe(batch[0]?.client ?? ''),
    )
    for (const [i, { client, cost, resolve, reject }] of batch.entries()) {
      try {
        resolve(decisions?.[i] ?? this.without(client, cost))
      } catch (error) {
        reject(error)
      }
    }
  }

  private without(client: string, cost: number): Decision | null {
    this.use.missed()
    if (this.mode === 'local') return this.local.decide(client, cost)
    if (this.mode === 'open') return null
    throw new GatewayError('limits-unavailable', 'The limits cannot be checked at the moment. Try again later.', {
      headers: [['Retry-After', '1']],
    })
  }
}
