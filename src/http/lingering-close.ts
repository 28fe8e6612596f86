import type { Socket } from 'node:net'
import type { Deadlines, Timed } from './deadlines.ts'
import { reset } from './reset.ts'
import { bytesTaken } from './socket-progress.ts'

/** How long to wait, in milliseconds: for a client that sends nothing, and for one that keeps sending. */
const QUIET = 2_000
const MAX_TIME = 30_000

/**
 * Closes a connection while its client may still be sending: half-closes it, then reads on for a while and discards
 * what it reads. A socket closed with unread bytes would be reset, and the client might lose the last reply, which many
 * clients only read once they have sent everything (RFC 9112 section 9.6).
 */
export class LingeringClose implements Timed {
  deadline: number
  watchIndex = -1
  private readonly socket: Socket
  private readonly deadlines: Deadlines
  private readonly writeTimeout: number
  private taken: number
  /** The latest time to close; Infinity until the client has taken the last reply. */
  private last = Number.POSITIVE_INFINITY

  /** `writeTimeout`, in milliseconds, is how long the client may take none of the rest of the last reply. */
  constructor(socket: Socket, deadlines: Deadlines, writeTimeout: number) {
    this.socket = socket
    this.deadlines = deadlines
    this.writeTimeout = writeTimeout
    this.taken = bytesTaken(socket)
    this.deadline = deadlines.in(writeTimeout)
    deadlines.watch(this)
    socket.once('close', () => deadlines.forget(this))
    socket.end(() => {
      this.last = deadlines.in(MAX_TIME)
      this.deadline = deadlines.in(QUIET)
    })
    socket.resume()
  }

  /** The client has sent more. */
  discard(): void {
    if (this.last === Number.POSITIVE_INFINITY) return
    this.deadline = Math.min(this.last, this.deadlines.in(QUIET))
  }

  onDeadline(): void {
    if (this.socket.writableFinished) return void this.socket.destroy()
    const taken = bytesTaken(this.socket)
    if (taken > this.taken) {
      this.taken = taken
      this.deadline = this.deadlines.in(this.writeTimeout)
      return
    }
    // The last reply was cut off, and must not look complete.
    reset(this.socket)
  }
}
