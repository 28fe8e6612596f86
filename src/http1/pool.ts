import type { Socket } from 'node:net'
import { DenseSet } from '../core/dense-set.ts'
import type { GatewayError } from '../core/errors.ts'
import type { Deadlines } from '../http/deadlines.ts'
import { dial } from '../http/dial.ts'
import type { LanePool, PoolSize } from '../http/lane.ts'
import type { PoolBounds, PoolOptions } from '../http/pool-options.ts'
import type { Reader } from '../http/read-buffers.ts'
import { rotatingLookup } from '../http/rotating-lookup.ts'
import { slowestExchange } from '../http/slowest-exchange.ts'
import { joinQueue, type Waitable, type LaneWaiter } from '../http/lane-waiter.ts'
import { FairQueue } from '../http/fair-queue.ts'
import { ClientConnection, type ClientOwner } from './client-connection.ts'
import { ResponseHead } from './response-head.ts'

/**
 * The keep-alive connections of one thread to one instance: the most recently used one is taken first. Where all are
 * busy, clients take turns, and no exchange that waits for its own client keeps others waiting for long.
 */
export class ConnectionPool implements ClientOwner, LanePool, Waitable<ClientConnection> {
  options: PoolOptions
  head: ResponseHead
  readonly deadlines: Deadlines
  private readonly lookup = rotatingLookup()
  private readonly idle: ClientConnection[] = []
  /**
   * Number of connections that carry an exchange. Only a count: a Set that changes with every request would leave
   * garbage behind.
   */
  private busy = 0
  private readonly streams = new Set<ClientConnection>()
  /** All connections except those of `streams`. */
  private readonly counted = new DenseSet<'countedIndex', ClientConnection>('countedIndex')
  readonly waiting = new FairQueue<LaneWaiter<ClientConnection>>()
  private connecting = 0
  private closing = false

  constructor(options: PoolOptions, deadlines: Deadlines) {
    this.options = options
    this.deadlines = deadlines
    this.head = new ResponseHead(options)
  }

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

  private get over(): boolean {
    return this.busy + this.idle.length + this.connecting > this.options.connections
  }

  /**
   * Changes the bounds. Connections follow them from their next exchange on, and at once while they are idle; requests
   * that already wait keep their time limit.
   */
  configure(bounds: PoolBounds): void {
    this.options = { ...this.options, ...bounds }
    this.head = new ResponseHead(this.options)
    for (const connection of this.idle) connection.renew()
    for (const connection of this.idle.slice()) if (this.over) connection.destroy()
    while (this.waiting.size > 0 && !this.full) this.replace()
  }

  take(client: string): ClientConnection | null {
    const connection = this.options.introduction === null ? this.idle.pop() : this.idleOf(client)
    if (connection === undefined) return null
    this.busy++
    return connection
  }

  private idleOf(client: string): ClientConnection | undefined {
    const at = this.idle.findLastIndex(({ introduced }) => introduced === client)
    return at === -1 ? undefined : this.idle.splice(at, 1)[0]
  }

  acquire(client: string): Promise<ClientConnection> {
    // Idle connections are no use to this caller: `take` did not return one, as they are for other clients. The one
    // that has been idle for longest is closed to make room.
    if (this.full) this.idle[0]?.destroy()
    if (!this.full) return this.connect(client)
    return joinQueue(this, client)
  }

  /** Ends the exchange that has waited for its own client for longest, if that is too long. */
  makeRoom(client: string): void {
    const found = slowestExchange(this.counted, this.options.connections, this.deadlines.now, client)
    if (found === null) return
    this.options.onPreempted()
    found.preempt()
  }

  release(connection: ClientConnection): void {
    if (this.streams.size > 0 && this.streams.has(connection)) {
      if (this.full) return connection.destroy()
      this.streams.delete(connection)
      this.counted.add(connection)
      this.busy++
    }
    // The limit may be lower now than when it was made.
    if (this.over) return connection.destroy()
    const waiter = this.nextWaiter()
    if (waiter !== undefined) return this.handOver(connection, waiter)
    if (this.closing) return connection.destroy()
    this.busy--
    this.idle.push(connection)
  }

  /** Passes the connection to the waiter if it may be used for its client; otherwise replaces it with a new one. */
  private handOver(connection: ClientConnection, waiter: LaneWaiter<ClientConnection>): void {
    if (this.options.introduction === null || connection.introduced === waiter.client) return waiter.resolve(connection)
    this.connect(waiter.client).then(waiter.resolve, waiter.reject)
    connection.destroy()
  }

  detach(connection: ClientConnection): boolean {
    if (this.streams.size >= this.options.streams) return false
    this.streams.add(connection)
    this.counted.delete(connection)
    this.busy--
    this.replace()
    return true
  }

  closed(connection: ClientConnection): void {
    this.counted.delete(connection)
    if (this.streams.delete(connection)) return
    const at = this.idle.indexOf(connection)
    if (at === -1) this.busy--
    else this.idle.splice(at, 1)
    this.replace()
  }

  close(): void {
    this.closing = true
    for (const connection of this.idle.toReversed()) connection.destroy()
  }

  /** A connection less: the next waiting request gets a new one. */
  private replace(): void {
    if (this.full) return
    const waiter = this.nextWaiter()
    if (waiter !== undefined) this.connect(waiter.client).then(waiter.resolve, waiter.reject)
  }

  private nextWaiter(): LaneWaiter<ClientConnection> | undefined {
    if (this.waiting.size === 0) return undefined
    const waiter = this.waiting.next()
    waiter?.leave()
    return waiter
  }

  private connect(client: string): Promise<ClientConnection> {
    const { options, lookup, deadlines } = this
    this.connecting++
    return new Promise((resolve, reject) => {
      const connected = (socket: Socket): Reader => {
        this.connecting--
        const made = new ClientConnection(socket, this, deadlines)
        made.introduced = options.introduction === null ? null : client
        this.counted.add(made)
        this.busy++
        resolve(made)
        return made
      }
      const failed = (error: GatewayError): void => {
        this.connecting--
        reject(error)
        this.replace()
      }
      dial({ ...options, client, lookup, deadlines }, { connected, failed })
    })
  }
}
