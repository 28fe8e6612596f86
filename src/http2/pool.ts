import type { Socket } from 'node:net'
import type { GatewayError } from '../core/errors.ts'
import type { Deadlines } from '../http/deadlines.ts'
import { dial } from '../http/dial.ts'
import type { LanePool, PoolSize } from '../http/lane.ts'
import { ConnectFailed, HandshakeFailed } from '../http/lane-errors.ts'
import type { PoolBounds, PoolOptions } from '../http/pool-options.ts'
import type { Reader } from '../http/read-buffers.ts'
import { rotatingLookup } from '../http/rotating-lookup.ts'
import { slowestExchange } from '../http/slowest-exchange.ts'
import { joinQueue, type Waitable, type LaneWaiter } from '../http/lane-waiter.ts'
import { type QueuedRequest, FairQueue } from '../http/fair-queue.ts'
import { ClientConnection, type ClientOwner } from './client-connection.ts'
import type { ClientStream } from './client-stream.ts'
import { ResponseHead } from './response-head.ts'
import { STREAMS } from './settings.ts'

/** Up to this number of idle connections, they are tried before another one is made. */
const SPARE = 2

/** A request that waits for a connection being established. */
interface DialWaiter extends QueuedRequest {
  readonly resolve: (lane: ClientStream) => void
  readonly reject: (error: unknown) => void
}

/**
 * A connection being established, and the requests that wait for it: as many as it can carry, unless the service allows
 * fewer.
 */
class Dial {
  readonly waiters = new FairQueue<DialWaiter>()
  /** The client named to the service in the preamble of the connection; null where it may be used for any client. */
  readonly introduced: string | null
  connection: ClientConnection | null = null

  constructor(introduced: string | null) {
    this.introduced = introduced
  }
}

/**
 * The HTTP/2 connections of one thread to one instance, each of which carries many exchanges. Another one is only made
 * when none has room; beyond that, clients take turns, and no exchange that waits for its own client keeps others
 * waiting for long.
 */
export class StreamPool implements ClientOwner, LanePool, Waitable<ClientStream> {
  options: PoolOptions
  head: ResponseHead
  readonly deadlines: Deadlines
  private readonly lookup = rotatingLookup()
  /** Oldest first: the first one that has room is taken, so that the others become idle. */
  private readonly connections: ClientConnection[] = []
  private readonly dials = new Set<Dial>()
  readonly waiting = new FairQueue<LaneWaiter<ClientStream>>()
  /** Connections that accept no more exchanges, but still carry some. */
  private readonly draining = new Set<ClientConnection>()
  /** Number of long-lived exchanges. */
  private lasting = 0
  private closing = false

  constructor(options: PoolOptions, deadlines: Deadlines) {
    this.options = options
    this.deadlines = deadlines
    this.head = new ResponseHead(options)
  }

  get size(): PoolSize {
    const present = [...this.connections, ...this.draining]
    const idle = present.filter(({ busy }) => busy === 0).length
    const streaming = present.filter(({ busy, lasting }) => busy > 0 && busy === lasting).length
    return {
      idle,
      busy: present.length - idle - streaming,
      connecting: this.dials.size,
      streaming,
      waiting: this.waiting.size,
    }
  }

  /** Connections that count against the limit: all but those fully taken by long-lived exchanges. */
  private get count(): number {
    let count = this.dials.size
    for (const { lasting, most } of this.connections) if (lasting === 0 || lasting < most) count++
    return count
  }

  private get full(): boolean {
    return this.count >= this.options.connections
  }

  configure(bounds: PoolBounds): void {
    this.options = { ...this.options, ...bounds }
    this.head = new ResponseHead(this.options)
    for (const connection of this.connections) connection.renew()
    for (const connection of this.resting) if (this.count > this.options.connections) connection.retire()
    this.serve()
  }

  take(client: string): ClientStream | null {
    for (const connection of this.connections)
      if (connection.hasRoom && isFor(connection, client)) return connection.lane()
    return null
  }

  /**
   * 1. Share a connection that is being established.
   * 2. Make another one, unless the limit is reached or several are idle: `take` has found none with room, or the
   * caller's request was refused by one.
   * 3. Use one that has room after all.
   * 4. Wait.
   */
  acquire(client: string): Promise<ClientStream> {
    const introduced = this.options.introduction === null ? null : client
    // 1.
    for (const dialled of this.dials)
      if (dialled.introduced === introduced && dialled.waiters.size < STREAMS) return join(dialled, client)
    // 2.
    if (introduced !== null && this.full) this.resting[0]?.retire()
    const resting = this.resting.filter((connection) => connection.hasRoom && isFor(connection, client))
    if (!this.full && resting.length < SPARE) return join(this.connect(introduced), client)
    // 3.
    const lane = this.take(client)
    if (lane !== null) return Promise.resolve(lane)
    // 4.
    return joinQueue(this, client)
  }

  close(): void {
    this.closing = true
    for (const connection of this.resting) connection.retire()
  }

  // Connection events.

  connected(connection: ClientConnection): void {
    const dialled = this.dialOf(connection)
    if (dialled !== undefined) this.dials.delete(dialled)
    this.connections.push(connection)
    for (const { client, resolve, reject } of all(dialled)) {
      if (connection.hasRoom) resolve(connection.lane())
      else this.acquire(client).then(resolve, reject)
    }
    this.changed(connection)
  }

  changed(connection: ClientConnection): void {
    this.serve()
    if (connection.introduced !== null) this.serveOwn(connection, connection.introduced)
    if (connection.busy > 0) return
    if (this.closing || this.count > this.options.connections) connection.retire()
  }

  detach(): boolean {
    if (this.lasting >= this.options.streams) return false
    this.lasting++
    return true
  }

  released(connection: ClientConnection, lasting: boolean): void {
    if (lasting) this.lasting--
    if (connection.busy === 0) this.draining.delete(connection)
  }

  closed(connection: ClientConnection, error: Error | null): void {
    const dialled = this.dialOf(connection)
    if (dialled !== undefined) {
      const { host, port } = this.options
      const { tlsError } = connection
      const address = `${host}:${port}`
      return this.failed(
        dialled,
        tlsError === null ? new ConnectFailed(address, error) : new HandshakeFailed(address, tlsError),
      )
    }
    const at = this.connections.indexOf(connection)
    if (at !== -1) this.connections.splice(at, 1)
    if (connection.busy > 0) this.draining.add(connection)
    this.serve()
  }

  private get resting(): ClientConnection[] {
    return this.connections.filter(({ busy }) => busy === 0)
  }

  private dialOf(connection: ClientConnection): Dial | undefined {
    for (const dialled of this.dials) if (dialled.connection === connection) return dialled
    return undefined
  }

  private connect(introduced: string | null): Dial {
    const { options, lookup, deadlines } = this
    const dialled = new Dial(introduced)
    const until = deadlines.now + options.connectTimeout
    const connected = (socket: Socket): Reader => {
      const made = new ClientConnection(socket, this, deadlines, Math.max(0, until - deadlines.now))
      made.introduced = introduced
      dialled.connection = made
      return made
    }
    const failed = (error: GatewayError): void => this.failed(dialled, error)
    this.dials.add(dialled)
    dial({ ...options, client: introduced ?? '', lookup, deadlines }, { connected, failed })
    return dialled
  }

  private failed(dialled: Dial, error: GatewayError): void {
    this.dials.delete(dialled)
    for (const { reject } of all(dialled)) reject(error)
    this.serve()
  }

  // Waiting requests.

  /** Gives lanes, or connections to be made, to waiting requests in turn, as long as there are any. */
  private serve(): void {
    while (this.waiting.size > 0 && this.mayServe) {
      const waiter = this.waiting.next()
      if (waiter !== undefined) this.hand(waiter)
    }
  }

  private get mayServe(): boolean {
    if (!this.full) return true
    if (this.options.introduction !== null) return this.resting.length > 0
    return (
      this.connections.some(({ hasRoom }) => hasRoom) || [...this.dials].some(({ waiters }) => waiters.size < STREAMS)
    )
  }

  /** Gives the room of a connection that is reserved for one client to that client's waiting requests. */
  private serveOwn(connection: ClientConnection, client: string): void {
    while (connection.hasRoom) {
      const waiter = this.waiting.nextOf(client)
      if (waiter === undefined) return
      this.hand(waiter)
    }
  }

  private hand(waiter: LaneWaiter<ClientStream>): void {
    waiter.leave()
    const lane = this.take(waiter.client)
    if (lane === null) this.acquire(waiter.client).then(waiter.resolve, waiter.reject)
    else waiter.resolve(lane)
  }

  /** Ends the exchange that has waited for its own client for longest, if that is too long. */
  makeRoom(client: string): void {
    const lanes = this.connections.flatMap(({ carried }) => [...carried]).filter(({ lasting }) => !lasting)
    const found = slowestExchange(lanes, lanes.length, this.deadlines.now, client)
    if (found === null) return
    this.options.onPreempted()
    found.preempt()
  }
}

function isFor({ introduced }: ClientConnection, client: string): boolean {
  return introduced === null || introduced === client
}

function join(dialled: Dial, client: string): Promise<ClientStream> {
  return new Promise((resolve, reject) => dialled.waiters.add({ client, resolve, reject }))
}

/** Removes and returns all requests that wait for it, in turns by client. */
function all(dialled: Dial | undefined): DialWaiter[] {
  const waiters: DialWaiter[] = []
  for (let next = dialled?.waiters.next(); next !== undefined; next = dialled?.waiters.next()) waiters.push(next)
  return waiters
}
