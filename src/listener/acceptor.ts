import { createServer, type Server, type Socket } from 'node:net'
import { handleOf, numberOf } from '../core/node-internals.ts'
import type { Address } from '../core/address.ts'
import { inUse } from './claim.ts'

/** Connections that may wait to be accepted; the system may have a lower bound (net.core.somaxconn). */
const BACKLOG = 4096
/** Octets that may wait in a socket before a sender is asked to pause. */
const HIGH_WATER_MARK = 65_536
/** Connections that are kept for whoever takes them: further ones are closed as they come. */
const MOST_KEPT = 4096

/** A listening socket outside of any server, as Node hands it over from another process. */
export interface ListeningHandle {
  /** Its descriptor, for as long as it is open. */
  readonly fd: number
  close(): void
}

/** Takes a connection, none of which has been read. */
export type Accept = (socket: Socket) => void

/** A socket that listens on an address: connections are kept until somebody takes them. */
export class Acceptor {
  /** Connections that have been accepted. */
  accepted = 0
  /** Others may accept from its queue too. */
  isShared = false
  private readonly server: Server
  /** The IP address that it is bound to, which may be that of all hosts; "" before it listens. */
  host = ''
  /** Null while nobody takes them. */
  private accept: Accept | null = null
  private kept: Socket[] = []
  /** A socket that listens already, from which it takes nothing yet. */
  private adopted: ListeningHandle | null = null

  /** `early` is asked first while nobody takes connections, and may do so. */
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
      if (this.kept.length < MOST_KEPT) this.kept.push(socket)
      else socket.destroy()
    })
  }

  /**
   * Begins to listen; `shared` lets several threads listen on one port. Rejects with AddressInUseError, or with what the
   * system said.
   */
  listen({ host, port }: Address, shared: boolean): Promise<Address> {
    return new Promise((resolve, reject) => {
      const refused = (error: Error): void => reject(inUse({ host, port }, error))
      this.server.once('error', refused)
      this.server.listen({ host, port, reusePort: shared, backlog: BACKLOG }, () => {
        this.server.off('error', refused)
        resolve({ host, port: this.bound() ?? port })
      })
    })
  }

  /**
   * Takes over a socket that listens there. Others may accept from it as well: until somebody takes connections they stay in its
   * queue, and nothing is lost of them if that never comes.
   */
  adopt(socket: ListeningHandle, address: Address): Address {
    this.adopted = socket
    this.isShared = true
    this.host = address.host
    return address
  }

  /** Has `accept` take all connections from now on, those first that were kept. */
  open(accept: Accept): void {
    this.accept = accept
    this.takeAdopted()
    const { kept } = this
    this.kept = []
    for (const socket of kept) accept(socket)
  }

  /** The descriptor of its socket, or null where the system has none. */
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

  /** It listens now: on which port, or null where the system does not say. */
  private bound(): number | null {
    // accept(2) passes on what went wrong with a connection before it was accepted: nobody is there to be told.
    this.server.on('error', () => {})
    const bound = this.server.address()
    if (bound === null || typeof bound === 'string') return null
    this.host = bound.address
    return bound.port
  }

  /** Listens no more: whatever nobody has taken is closed. */
  close(): void {
    this.adopted?.close()
    this.adopted = null
    this.server.close()
    for (const socket of this.kept) socket.destroy()
    this.kept = []
  }
}
