import { createServer, type Server, type Socket } from 'node:net'
import { handleOf, numberOf } from '../core/node-internals.ts'
import type { Address } from '../core/address.ts'
import { explained } from './claim.ts'

/** Maximum number of connections that wait to be accepted; the system may have a lower limit (net.core.somaxconn). */
const BACKLOG = 4096
/** Bytes buffered in a socket before the writer is asked to pause. */
const HIGH_WATER_MARK = 65_536
/** Maximum number of connections that wait for `open`: further ones are closed at once. */
const MAX_WAITING = 4096

/** A listening socket without a server, as received by Node from another process. */
export interface ListeningHandle {
  /** Its descriptor while it is open. */
  readonly fd: number
  close(): void
}

/** Takes a connection from which nothing has been read. */
export type Accept = (socket: Socket) => void

/** A listening socket for an address: connections wait until `open`. */
export class Acceptor {
  /** Number of connections accepted. */
  accepted = 0
  /** Other processes may accept from its queue as well. */
  isShared = false
  private readonly server: Server
  /** The IP address that it is bound to, which may be a wildcard address; "" before it listens. */
  host = ''
  /** Null before `open`. */
  private accept: Accept | null = null
  private waiting: Socket[] = []
  /** A socket that is already listening, from which nothing is accepted yet. */
  private adopted: ListeningHandle | null = null

  /** Before `open`, each connection is first offered to `early`, which returns whether it takes it. */
  constructor(early: (socket: Socket) => boolean = () => false) {
    this.server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      pauseOnConnect: true,
      highWaterMark: HIGH_WATER_MARK,
    })
    this.server.on('connection', (socket) => {
      this.accepted++
      if (this.accept !== null) return this.accept(socket)
      if (early(socket)) return
      if (this.waiting.length < MAX_WAITING) this.waiting.push(socket)
      else socket.destroy()
    })
  }

  /**
   * Begins to listen; `shared` lets several threads listen on one port. Rejects with the system's error, or with one
   * that says what to do.
   */
  listen({ host, port }: Address, shared: boolean): Promise<Address> {
    return new Promise((resolve, reject) => {
      const refused = (error: Error): void => reject(explained({ host, port }, error))
      this.server.once('error', refused)
      this.server.listen({ host, port, reusePort: shared, backlog: BACKLOG }, () => {
        this.server.off('error', refused)
        resolve({ host, port: this.bound() ?? port })
      })
    })
  }

  /**
   * Takes over a socket that is already listening. Other processes may accept from it as well: until `open`,
   * connections stay in its queue, and none is lost if `open` is never called.
   */
  adopt(socket: ListeningHandle, address: Address): Address {
    this.adopted = socket
    this.isShared = true
    this.host = address.host
    return address
  }

  /** Passes all connections to `accept` from now on, starting with those that wait. */
  open(accept: Accept): void {
    this.accept = accept
    this.takeAdopted()
    const { waiting } = this
    this.waiting = []
    for (const socket of waiting) accept(socket)
  }

  /** The descriptor of its socket, or null where there is none. */
  get descriptor(): number | null {
    if (this.adopted !== null) return this.adopted.fd
    const handle = handleOf(this.server)
    const descriptor = handle === null ? null : numberOf(handle, 'fd')
    return descriptor !== null && descriptor >= 0 ? descriptor : null
  }

  private takeAdopted(): void {
    if (this.adopted === null) return
    this.server.listen(this.adopted, BACKLOG, () => this.bound())
    this.adopted = null
  }

  /** Called once it listens; returns the port, or null where it is unknown. */
  private bound(): number | null {
    // accept(2) reports errors of connections that failed before they were accepted: there is nothing to do about them.
    this.server.on('error', () => {})
    const bound = this.server.address()
    if (bound === null || typeof bound === 'string') return null
    this.host = bound.address
    return bound.port
  }

  /** Stops listening and closes all waiting connections. */
  close(): void {
    this.adopted?.close()
    this.adopted = null
    this.server.close()
    for (const socket of this.waiting) socket.destroy()
    this.waiting = []
  }
}
