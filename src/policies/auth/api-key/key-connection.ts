import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../../core/clock.ts'
import { GatewayError } from '../../../core/errors.ts'
import { connectRedis, type RedisClient, type RedisConfig } from '../../../redis/client.ts'
import { failureOf } from '../../../redis/failure.ts'
import { KeyRing } from './key-ring.ts'
import { RedisApiKeys } from './redis/redis-api-keys.ts'

/** How long connecting to Redis, with all attempts, and each reply from it may take, in milliseconds. */
const TIMEOUT = 3000
/** How long the connection stays open without being used, in milliseconds. */
const IDLE = 30_000

/** Failures that another attempt does not help against. */
const DENIED = new Set(['WRONGPASS', 'NOAUTH'])

/** What to do about a failure: if access is denied, without a connection, while keys are read, and while they are changed. */
const CHECK_ACCESS = 'Check the user name and the password in stores.redis.'
const CONNECT_AGAIN = 'Check that it runs and that the gateway can reach it, then try again.'
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
      opened.connecting ??= this.connect(opened.client).finally(() => (opened.connecting = null))
      await opened.connecting
      isConnected = true
      return await work(new KeyRing(new RedisApiKeys(opened.client), () => this.clock.wall()))
    } catch (error) {
      if (error instanceof GatewayError) throw error
      const what = isDenied(error) ? CHECK_ACCESS : isConnected ? advice : CONNECT_AGAIN
      const detail = `The Redis of stores.redis cannot be used: ${reasonOf(error).replace(/\.$/, '')}. ${what}`
      throw new GatewayError('keys-unavailable', detail, { cause: error })
    } finally {
      this.leave(opened)
    }
  }

  /** Resolves once the client is connected. Rejects if access is denied, and with the last connection error after the timeout. */
  private async connect(client: RedisClient): Promise<void> {
    let last = new Error(`no connection within ${TIMEOUT / 1000} s`)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const failed = (error: Error): void => {
      last = error
      if (isDenied(error)) reject(error)
    }
    const cancel = this.clock.after(TIMEOUT, () => reject(last))
    client.on('error', failed)
    client.on('ready', resolve)
    try {
      // A connection that was kept may have been lost, which is not known before it is used.
      if (client.status === 'ready') void answers(client).then((isThere) => isThere && resolve())
      await promise
    } finally {
      cancel()
      client.off('error', failed)
      client.off('ready', resolve)
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

/** Whether Redis replies on this connection, even with an error. */
async function answers(client: RedisClient): Promise<boolean> {
  try {
    await client.ping()
    return true
  } catch {
    return client.status === 'ready'
  }
}

function isDenied(error: unknown): boolean {
  return DENIED.has(failureOf(error).cause)
}

/** Where several nodes or addresses were tried, the error itself does not say why they failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) return reasonOf(error.lastNodeError)
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return error.message
}
