import { connect, type Socket } from 'node:net'
import { GatewayError } from '../core/errors.ts'
import { ClientConnection } from './client-connection.ts'
import type { ClientOptions, ClientOwner } from './client-owner.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import { sharedBuffer } from './read-buffers.ts'
import { ResponseHead } from './response-head.ts'

/** Bounds of a pool; times are milliseconds. */
export interface PoolOptions extends ClientOptions {
  readonly host: string
  readonly port: number
  /** Connections at the same time. */
  readonly connections: number
  /** Connections beside those that carry an exchange which lasts: a stream of events, or another protocol. */
  readonly streams: number
  /** Requests that wait for a connection at the same time, and how long each waits at most. */
  readonly queue: number
  readonly queueTimeout: number
  readonly connectTimeout: number
}

/** Connections of a pool that exist or are being made, and requests that wait for one. */
export interface PoolSize {
  readonly idle: number
  readonly busy: number
  readonly connecting: number
  /** Carry an exchange that lasts. */
  readonly streaming: number
  readonly waiting: number
}

/** No connection could be made: nothing was sent, so another instance may be tried whatever the request is. */
export class ConnectFailed extends GatewayError {
  constructor(address: string, cause: unknown) {
    super('service-unavailable', 'Service unavailable', { cause: new Error(`cannot connect to ${address}`, { cause }) })
  }
}

/** The keep-alive connections of one thread to one instance: last used, first taken. */
export class ConnectionPool implements ClientOwner {
  private readonly options: PoolOptions
  private readonly deadlines: Deadlines
  private readonly head: ResponseHead
  private readonly idle: ClientConnection[] = []
  /** Connections that carry an exchange. Counted only: a Set that changes with every request would leave old tables behind. */
  private busy = 0
  private readonly streams = new Set<ClientConnection>()
  private readonly waiting = new Set<Waiter>()
  private connecting = 0
  private closing = false

  constructor(options: PoolOptions, deadlines: Deadlines) {
    this.options = options
    this.deadlines = deadlines
    this.head = new ResponseHead(options)
  }

  /** Connections that exist or are being made, and requests that wait for one. */
  get size(): PoolSize {
    const { busy, connecting } = this
    return {
      idle: this.idle.length,
      busy,
      connecting,
      streaming: this.streams.size,
      waiting: this.waiting.size,
    }
  }

  private get full(): boolean {
    return this.busy + this.idle.length + this.connecting >= this.options.connections
  }

  /** A connection to use at once, if one is idle. */
  take(): ClientConnection | null {
    const connection = this.idle.pop()
    if (connection === undefined) return null
    this.busy++
    return connection
  }

  /** A connection, new or waited for. Rejects with ConnectFailed, or GatewayError 'too-busy'. */
  acquire(): Promise<ClientConnection> {
    if (!this.full) return this.connect()
    if (this.waiting.size >= this.options.queue) return Promise.reject(tooBusy())
    return new Promise(
      (resolve, reject) => new Waiter(this.waiting, this.deadlines, this.options.queueTimeout, resolve, reject),
    )
  }

  release(connection: ClientConnection): void {
    if (this.streams.size > 0 && this.streams.has(connection)) {
      if (this.full) return connection.destroy()
      this.streams.delete(connection)
      this.busy++
    }
    const waiter = this.nextWaiter()
    if (waiter !== undefined) return waiter.resolve(connection)
    if (this.closing) return connection.destroy()
    this.busy--
    this.idle.push(connection)
  }

  detach(connection: ClientConnection): boolean {
    if (this.streams.size >= this.options.streams) return false
    this.streams.add(connection)
    this.busy--
    this.replace()
    return true
  }

  closed(connection: ClientConnection): void {
    if (this.streams.delete(connection)) return
    const at = this.idle.indexOf(connection)
    if (at === -1) this.busy--
    else this.idle.splice(at, 1)
    this.replace()
  }

  /** Ends idle connections now and busy ones after their exchange. */
  close(): void {
    this.closing = true
    for (const connection of this.idle.toReversed()) connection.destroy()
  }

  /** A connection is less: whoever waits longest gets a new one. */
  private replace(): void {
    if (this.closing || this.full) return
    const waiter = this.nextWaiter()
    if (waiter !== undefined) this.connect().then(waiter.resolve, waiter.reject)
  }

  private nextWaiter(): Waiter | undefined {
    const [waiter] = this.waiting
    waiter?.leave()
    return waiter
  }

  private connect(): Promise<ClientConnection> {
    const { host, port, connectTimeout } = this.options
    this.connecting++
    return new Promise((resolve, reject) => {
      let connection: ClientConnection | null = null
      const onread = {
        buffer: () => connection?.readBuffer ?? sharedBuffer,
        callback: (length: number, octets: Uint8Array) => {
          if (octets instanceof Buffer) connection?.read(octets, length)
          return true
        },
      }
      const socket: Socket = connect({ host, port, noDelay: true, allowHalfOpen: true, onread })
      const timed: Timed = {
        deadline: this.deadlines.in(connectTimeout),
        onDeadline: () => failed(new Error(`no answer within ${connectTimeout} ms`)),
      }
      const settle = (): void => {
        this.connecting--
        this.deadlines.forget(timed)
        socket.removeAllListeners()
      }
      const failed = (cause: Error): void => {
        settle()
        socket.on('error', ignore)
        socket.destroy()
        reject(new ConnectFailed(`${host}:${port}`, cause))
        this.replace()
      }
      this.deadlines.watch(timed)
      socket.on('error', failed)
      socket.on('connect', () => {
        settle()
        connection = new ClientConnection(socket, this, this.options, this.deadlines, this.head)
        this.busy++
        resolve(connection)
      })
    })
  }
}

/** A request that waits for a connection. */
class Waiter implements Timed {
  deadline: number
  readonly resolve: (connection: ClientConnection) => void
  readonly reject: (error: unknown) => void
  private readonly queue: Set<Waiter>
  private readonly deadlines: Deadlines

  constructor(
    queue: Set<Waiter>,
    deadlines: Deadlines,
    timeout: number,
    resolve: (connection: ClientConnection) => void,
    reject: (error: unknown) => void,
  ) {
    this.queue = queue
    this.deadlines = deadlines
    this.deadline = deadlines.in(timeout)
    this.resolve = resolve
    this.reject = reject
    queue.add(this)
    deadlines.watch(this)
  }

  leave(): void {
    this.queue.delete(this)
    this.deadlines.forget(this)
  }

  onDeadline(): void {
    this.leave()
    this.reject(tooBusy())
  }
}

function tooBusy(): GatewayError {
  return new GatewayError('too-busy', 'The gateway has as many requests for this service as it may; try again later.', {
    headers: [['Retry-After', '1']],
  })
}

function ignore(): void {}
