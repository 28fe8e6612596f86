import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../../core/clock.ts'
import { GatewayError } from '../../../core/errors.ts'
import { CLUSTER_NOT_READY } from '../../../redis/failure.ts'
import { connectRedis, type RedisClient, type RedisConfig } from '../../../redis/client.ts'
import { KeyRing } from './key-ring.ts'
import { isDenied, isLoading, reasonOf, whyNoConnection } from './no-redis.ts'
import { RedisApiKeys } from './redis/redis-api-keys.ts'

/** How long connecting to Redis, with all attempts, and each reply from it may take, in milliseconds. */
const TIMEOUT = 3000
/** How long the connection stays open without being used, in milliseconds. */
const IDLE = 30_000
/** How long a connection that was kept may take to answer before it is replaced, in milliseconds. */
const SILENCE = 1000
/** When a Redis that is loading its data is asked again, in milliseconds. */
const LOADING_AGAIN = 100

/** What to do about a failure while keys are read, and while they are changed. */
const READ_AGAIN = 'Check its state and the permissions of its user, then try again.'
const CHANGE_AGAIN = 'The change may have been made nevertheless: list the keys before you try again.'

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

  /** Runs `work`, which only reads keys. Rejects like `change`. */
  read<Result>(redis: RedisConfig, work: (ring: KeyRing) => Promise<Result>): Promise<Result> {
    return this.use(redis, work, READ_AGAIN)
  }

  /** Runs `work` on the keys in that Redis. Rejects with the error of `work`, and with GatewayError 'keys-unavailable' if Redis fails. */
  change<Result>(redis: RedisConfig, work: (ring: KeyRing) => Promise<Result>): Promise<Result> {
    return this.use(redis, work, CHANGE_AGAIN)
  }

  /** Closes the connection, for a process that is done with it. */
  close(): void {
    const { opened } = this
    this.opened = null
    opened?.stay?.()
    opened?.client.disconnect()
  }

  /** `advice` is what to do if Redis fails after `work` has begun. */
  private async use<Result>(redis: RedisConfig, work: (ring: KeyRing) => Promise<Result>, advice: string) {
    const opened = this.open(redis)
    let isConnected = false
    try {
      opened.connecting ??= this.connect(opened).finally(() => (opened.connecting = null))
      await opened.connecting
      isConnected = true
      return await work(new KeyRing(new RedisApiKeys(opened.client), () => this.clock.wall()))
    } catch (error) {
      if (error instanceof GatewayError) throw error
      const why =
        isConnected && !isDenied(error) ? `${reasonOf(error)}. ${advice}` : whyNoConnection(error, redis.place)
      const detail = `The Redis of stores.redis cannot be used: ${why}`
      throw new GatewayError('keys-unavailable', detail, { cause: error })
    } finally {
      this.leave(opened)
    }
  }

  /**
   * Resolves once the client is connected and Redis answers. Rejects if access is denied, and with the last connection error after the
   * timeout.
   */
  private async connect({ client, users }: Opened): Promise<void> {
    let last = new Error(`no connection within ${TIMEOUT / 1000} s`)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const failed = (error: Error): void => {
      last = error
      if (isDenied(error)) reject(error)
    }
    const cancel = this.clock.after(TIMEOUT, () => reject(last))
    let isOver = false
    let stopWaiting: (() => void) | null = null
    const check = (): void => {
      void ping(client).then((error) => {
        stopWaiting?.()
        if (isOver) return
        if (error === null) return resolve()
        failed(error)
        if (isLoading(error)) stopWaiting = this.clock.after(LOADING_AGAIN, check)
      })
    }
    // Nothing else is heard of a Cluster that does not become ready.
    const reached = (): void => {
      if (client.isCluster) last = new Error(CLUSTER_NOT_READY)
    }
    client.on('error', failed)
    client.on('connect', reached)
    client.on('ready', check)
    try {
      if (client.status === 'ready') {
        // A connection that was kept may have been lost. That is not known before it is used, and never if nothing comes back.
        if (users === 1) stopWaiting = this.clock.after(SILENCE, () => client.disconnect(true))
        check()
      }
      await promise
    } finally {
      isOver = true
      cancel()
      stopWaiting?.()
      client.off('error', failed)
      client.off('connect', reached)
      client.off('ready', check)
    }
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

/**
 * Why Redis cannot be used on this connection; null if it replies, even with another error: not every user may ping. A Cluster can be used
 * while some of its nodes do not reply.
 */
async function ping(client: RedisClient): Promise<Error | null> {
  try {
    await client.ping()
    return null
  } catch (error) {
    if (!(error instanceof Error)) return new Error(String(error))
    if (isDenied(error) || isLoading(error)) return error
    const isUsable = error.name === 'ReplyError' || (client.isCluster && client.status === 'ready')
    return isUsable ? null : error
  }
}
