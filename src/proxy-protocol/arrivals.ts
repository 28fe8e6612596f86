import type { Socket } from 'node:net'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import { readProxyHeader } from './header.ts'
import { type Introduction, MalformedProxyHeader } from './introduction.ts'

/** How long a proxy may take to send its header, in milliseconds: a lost packet is sent again in that time. */
const HEADER_TIMEOUT = 5_000
/** Connections whose header is awaited at the same time. */
const MOST = 1024

/**
 * Why a connection was closed for its header: its peer may not send one, it sent something else or not all of one, it took
 * too long, or too many were awaited.
 */
export const refusalReasons = ['untrusted', 'malformed', 'late', 'full'] as const

export type RefusalReason = (typeof refusalReasons)[number]

/** What becomes of connections that are to begin with a header. */
export interface ArrivalsOwner {
  /** Whether the address may say who its clients are. */
  trusts(peer: string): boolean
  /** The header was read; what came behind it waits in the socket. */
  introduced(socket: Socket, introduction: Introduction): void
  /** The connection was closed. */
  refused(reason: RefusalReason, peer: string, detail: string): void
}

/** Connections of a listener that have not yet said whom they are for. */
export class Arrivals {
  private readonly owner: ArrivalsOwner
  private readonly deadlines: Deadlines
  private readonly awaited = new Set<Arrival>()

  constructor(owner: ArrivalsOwner, deadlines: Deadlines) {
    this.owner = owner
    this.deadlines = deadlines
  }

  /** How many there are. */
  get size(): number {
    return this.awaited.size
  }

  /** Reads the header of an accepted connection that has not begun to read. */
  add(socket: Socket): void {
    const peer = socket.remoteAddress ?? ''
    if (!this.owner.trusts(peer)) return this.refuse(socket, 'untrusted', 'trustedProxies does not name it')
    if (this.awaited.size >= MOST) return this.refuse(socket, 'full', `${MOST} others are awaited`)
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

  /** Ends those that have not said it yet. */
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

/** What was read, why there is nothing to read, or null where the connection is gone without a word. */
type Outcome = Introduction | Error | null

/** One connection whose header is awaited. */
class Arrival implements Timed {
  readonly socket: Socket
  deadline: number
  private readonly settle: (outcome: Outcome) => void
  private octets: Buffer = Buffer.alloc(0)

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
    this.finish(new Late(`nothing whole within ${HEADER_TIMEOUT} ms`))
  }

  private readonly read = (): void => {
    const octets: unknown = this.socket.read()
    if (!(octets instanceof Buffer)) return
    this.octets = Buffer.concat([this.octets, octets])
    try {
      const header = readProxyHeader(this.octets)
      if (header === null) return
      const rest = this.octets.subarray(header.length)
      if (rest.length > 0) this.socket.unshift(rest)
      this.finish(header.introduction)
    } catch (error) {
      if (!(error instanceof MalformedProxyHeader)) throw error
      this.finish(error)
    }
  }

  private readonly ended = (): void => {
    // Load balancers look whether the port is open so.
    if (this.octets.length > 0) return this.finish(new MalformedProxyHeader('it ends in the middle'))
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
    // Whoever reads on looks for errors itself: until then, one must not be thrown.
    if (outcome instanceof Error || outcome === null) this.settle(outcome)
    else this.handOver(outcome)
  }

  private handOver(outcome: Introduction): void {
    this.settle(outcome)
    this.socket.off('error', this.failed)
  }
}
