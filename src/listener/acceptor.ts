import { createServer, type Server, type Socket } from 'node:net'
import type { Address } from '../core/address.ts'
import { inUse } from './claim.ts'

/** Connections that may wait to be accepted; the system may have a lower bound (net.core.somaxconn). */
const BACKLOG = 4096

/** A listening socket outside of any server, as Node hands it over from another process. */
export interface ListeningHandle {
  /** Its descriptor, for as long as it is open. */
  readonly fd: number
  close(): void
}

/** Takes connections from the system, none of which has been read from. */
export class Acceptor {
  private readonly server: Server

  constructor(accept: (socket: Socket) => void) {
    this.server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
    this.server.on('connection', accept)
  }

  /**
   * Begins to accept connections; `shared` lets several threads listen on one port. Rejects with AddressInUseError, or with
   * what the system said.
   */
  listen({ host, port }: Address, shared: boolean): Promise<Address> {
    return this.begin({ host, port }, (done) =>
      this.server.listen({ host, port, reusePort: shared, backlog: BACKLOG }, done),
    )
  }

  /** Accepts from now on what comes to that socket, which becomes the listener's own. */
  adopt(socket: ListeningHandle, address: Address): Promise<Address> {
    return this.begin(address, (done) => this.server.listen(socket, BACKLOG, done))
  }

  /** The descriptor of its socket, or null where the system has none. */
  get descriptor(): number | null {
    const handle: unknown = Reflect.get(this.server, '_handle')
    if (typeof handle !== 'object' || handle === null) return null
    const descriptor: unknown = Reflect.get(handle, 'fd')
    return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : null
  }

  private begin({ host, port }: Address, listen: (done: () => void) => void): Promise<Address> {
    return new Promise((resolve, reject) => {
      const refused = (error: Error): void => reject(inUse({ host, port }, error))
      this.server.once('error', refused)
      listen(() => {
        this.server.off('error', refused)
        // accept(2) passes on what went wrong with a connection before it was accepted: nobody is there to be told.
        this.server.on('error', () => {})
        const bound = this.server.address()
        resolve({ host, port: bound === null || typeof bound === 'string' ? port : bound.port })
      })
    })
  }

  /** Accepts no more. */
  close(): void {
    this.server.close()
  }
}
