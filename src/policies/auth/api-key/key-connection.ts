import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../../core/clock.ts'
import { GatewayError } from '../../../core/errors.ts'
import { connectRedis, type RedisClient, type RedisConfig } from '../../../redis/client.ts'
import { KeyRing } from './key-ring.ts'
import { RedisApiKeys } from './redis/redis-api-keys.ts'

/** How long connecting to Redis and each reply from it may take, in milliseconds. */
const TIMEOUT = 3000
/** How long the connection stays open without being used, in milliseconds. */
const IDLE = 30_000

interface Opened {
  readonly redis: RedisConfig
  readonly client: RedisClient
  /** The number of callers that are using it. */
  users: number
  /** Resolves when it is known to work; null if nobody is waiting for that. */
  connecting: Promise<void> | null
  /** Cancels closing it; null while it is in use. */
  stay: (() => void) | null
}

/** The connection of one process to the Redis with the API keys: opened by the first caller, shared by all, and closed once it is idle. */
export class KeyConnection {
  private readonly clock: Pick<Clock, 'wall' | 'after'>
  private opened: Opened | null = null

  constructor(clock: Pick<Clock, 'wall' | 'after'>) {
    this.clock = clock
  }

  /** Runs `work` with the keys in that Redis. Rejects with the error of `work`, and with GatewayError 'keys-unavailable' if Redis fails. */
  async use<Result>(redis: RedisConfig, work: (ring: KeyRing) => Promise<Result>): Promise<Result> {
    const opened = this.open(redis)
    let isThere = false
    try {
      opened.connecting ??= connected(opened.client).finally(() => (opened.connecting = null))
      await opened.connecting
      isThere = true
      return await work(new KeyRing(new RedisApiKeys(opened.client), () => this.clock.wall()))
    } catch (error) {
      if (error instanceof GatewayError) throw error
      const doubt = isThere ? ' The change may have been made nevertheless: list the keys before you try again.' : ''
      const detail = `The Redis of stores.redis cannot be used: ${reasonOf(error)}.${doubt}`
      throw new GatewayError('keys-unavailable', detail, { cause: error })
    } finally {
      this.leave(opened)
    }
  }

  /** Closes the connection, for a process that is done with it. */
  close(): void {
    const { opened } = this
    this.opened = null
    opened?.stay?.()
    opened?.client.disconnect()
  }

  /** The connection, with one more user; another one if the configuration has another Redis by now. */
  private open(redis: RedisConfig): Opened {
    const known = this.opened
    if (known !== null && isDeepStrictEqual(known.redis, redis)) {
      known.users++
      known.stay?.()
      known.stay = null
      return known
    }
    const opened: Opened = { redis, client: connectRedis(redis, TIMEOUT), users: 1, connecting: null, stay: null }
    this.opened = opened
    if (known?.users === 0) {
      known.stay?.()
      known.client.disconnect()
    }
    return opened
  }

  private leave(opened: Opened): void {
    opened.users--
    if (opened.users > 0) return
    // The configuration has another Redis by now, or the process is done.
    if (this.opened !== opened) return opened.client.disconnect()
    opened.stay = this.clock.after(IDLE, () => this.close())
  }
}

/** Resolves once the client is connected, and rejects with the first connection error; the caller may try again. */
async function connected(client: RedisClient): Promise<void> {
  // A connection that was kept may have been lost, which is not known before it is used.
  if (client.status === 'ready' && (await answers(client))) return
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => settle(new Error(`no connection within ${TIMEOUT} ms`)), TIMEOUT)
    const ready = (): void => settle()
    const settle = (error?: Error): void => {
      clearTimeout(timer)
      client.off('ready', ready)
      client.off('error', settle)
      if (error === undefined) resolve()
      else reject(error)
    }
    client.once('ready', ready)
    client.once('error', settle)
  })
}

/** Whether Redis replies on this connection, even with an error. */
async function answers(client: RedisClient): Promise<boolean> {
  try {
    await client.ping()
    return true
  } catch {
    return client.status === 'ready'
  }
}

/** A Cluster error only says that no node replied; the reason is attached to it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) return error.lastNodeError.message
  return error.message
}
