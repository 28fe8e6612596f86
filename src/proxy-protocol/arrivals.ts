import type { Socket } from 'node:net'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import { readProxyHeader } from './header.ts'
import { type Introduction, MalformedProxyHeader } from './introduction.ts'

/** How long a proxy may take to send its header, in milliseconds: enough to retransmit a lost packet. */
const HEADER_TIMEOUT = 5_000
/** Maximum number of connections whose header is awaited. */
const MAX = 1024

/**
 * Why a connection was closed for its header: its peer may not send one, it sent something else or only part of one, it
 * took too long, or too many headers were awaited.
 */
export const refusalReasons = ['untrusted', 'malformed', 'late', 'full'] as const

export type RefusalReason = (typeof refusalReasons)[number]

/** Handles connections that have to begin with a header. */
export interface ArrivalsOwner {
  /** Whether the peer is trusted to introduce clients. */
  trusts(peer: string): boolean
  /** The header was read; the bytes after it are still in the socket. */
  introduced(socket: Socket, introduction: Introduction): void
  /** The connection was closed. */
  refused(reason: RefusalReason, peer: string, detail: string): void
}

/** Connections of a listener whose header is still awaited. */
export class Arrivals {
  private readonly owner: ArrivalsOwner
  private readonly deadlines: Deadlines
  private readonly awaited = new Set<Arrival>()

  constructor(owner: ArrivalsOwner, deadlines: Deadlines) {
    this.owner = owner
    this.deadlines = deadlines
  }

  get size(): number {
    return this.awaited.size
  }

  /** Reads the header of an accepted connection from which nothing has been read. */
  add(socket: Socket): void {
    const peer = socket.remoteAddress
    // The peer has already reset the connection.
    if (peer === undefined) return void socket.destroy()
    if (!this.owner.trusts(peer)) return this.refuse(socket, 'untrusted', 'trustedProxies does not name it')
    if (this.awaited.size >= MAX) return this.refuse(socket, 'full', `${MAX} others are already waiting`)
    const arrival = new Arrival(socket, this.deadlines.in(HEADER_TIMEOUT), (outcome) => {
      this.awaited.delete(arrival)
      this.deadlines.forget(arrival)
      if (outcome === null) return
      if (outcome instanceof Late) return this.refuse(socket, 'late', outcome.message)
      if (outcome instanceof Error) return this.refuse(socket, 'malformed', outcome.message)
      this.owner.introduced(socket, outcome)
    })
    this.awaited.add(arrival)
    this.deadlines.watch(arrival)
  }

  /** Closes connections whose header is still awaited. */
  close(): void {
    for (const { socket } of this.awaited) socket.destroy()
  }

  private refuse(socket: Socket, reason: RefusalReason, detail: string): void {
    const peer = socket.remoteAddress ?? ''
    socket.destroy()
    this.owner.refused(reason, peer, detail)
  }
}

class Late extends Error {}

/** What was read, or the error, or null where the connection was closed without sending anything. */
type Outcome = Introduction | Error | null

/** One connection whose header is awaited. */
class Arrival implements Timed {
  readonly socket: Socket
  deadline: number
  watchIndex = -1
  private readonly settle: (outcome: Outcome) => void
  private bytes: Buffer = Buffer.alloc(0)

  constructor(socket: Socket, deadline: number, settle: (outcome: Outcome) => void) {
    this.socket = socket
    this.deadline = deadline
    this.settle = settle
    socket.on('readable', this.read)
    socket.on('end', this.ended)
    socket.on('error', this.failed)
    socket.on('close', this.closed)
  }

  onDeadline(): void {
    this.finish(new Late(`no complete header within ${HEADER_TIMEOUT} ms`))
  }

  private readonly read = (): void => {
    const bytes: unknown = this.socket.read()
    if (!(bytes instanceof Buffer)) return
    this.bytes = Buffer.concat([this.bytes, bytes])
    try {
      const header = readProxyHeader(this.bytes)
      if (header === null) return
      const rest = this.bytes.subarray(header.length)
      if (rest.length > 0) this.socket.unshift(rest)
      this.finish(header.introduction)
    } catch (error) {
      if (!(error instanceof MalformedProxyHeader)) throw error
      this.finish(error)
    }
  }

  private readonly ended = (): void => {
    // Load balancers do this to check whether the port is open.
    if (this.bytes.length > 0) return this.finish(new MalformedProxyHeader('it ends in the middle'))
    this.finish(null)
    this.socket.destroy()
  }

  private readonly failed = (): void => {
    this.socket.destroy()
  }

  private readonly closed = (): void => this.finish(null)

  private finish(outcome: Outcome): void {
    const { socket } = this
    socket.off('readable', this.read)
    socket.off('end', this.ended)
    socket.off('close', this.closed)
    // The next reader handles errors itself: there must always be an error listener until then.
    if (outcome instanceof Error || outcome === null) this.settle(outcome)
    else this.handOver(outcome)
  }

  private handOver(outcome: Introduction): void {
    this.settle(outcome)
    this.socket.off('error', this.failed)
  }
}
