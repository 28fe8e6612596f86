import type { Socket } from 'node:net'
import type { Deadlines, Timed } from './deadlines.ts'
import { takenOf } from './taken.ts'

/** How long, in milliseconds, and how many octets are still read and thrown away. */
const TIMEOUT = 2_000
const OCTETS = 1_048_576

/**
 * The end of a connection that its client may still be sending on: says that nothing more will come, and reads on for
 * a while. A socket closed with unread octets would be reset, and the client might lose the last reply (RFC 9112
 * section 9.6).
 */
export class LingeringClose implements Timed {
  deadline: number
  private readonly socket: Socket
  private readonly deadlines: Deadlines
  private readonly writeTimeout: number
  private octets = 0
  private taken: number

  /** `writeTimeout`, in milliseconds, is how long the client may take nothing of the rest of the last reply. */
  constructor(socket: Socket, deadlines: Deadlines, writeTimeout: number) {
    this.socket = socket
    this.deadlines = deadlines
    this.writeTimeout = writeTimeout
    this.taken = takenOf(socket)
    this.deadline = deadlines.in(writeTimeout)
    deadlines.watch(this)
    socket.once('close', () => deadlines.forget(this))
    socket.end(() => (this.deadline = deadlines.in(TIMEOUT)))
    socket.resume()
  }

  /** The client has sent more. */
  discard(octets: number): void {
    this.octets += octets
    if (this.octets > OCTETS) this.socket.destroy()
  }

  onDeadline(): void {
    if (this.socket.writableFinished) return void this.socket.destroy()
    const taken = takenOf(this.socket)
    if (taken > this.taken) {
      this.taken = taken
      this.deadline = this.deadlines.in(this.writeTimeout)
      return
    }
    // Cut off as it is, the last reply must not look like a whole one.
    this.socket.resetAndDestroy()
  }
}
