import type { Socket } from 'node:net'
import type { Deadlines, Timed } from './deadlines.ts'
import { reset } from './reset.ts'
import { takenOf } from './taken.ts'

/** How long, in milliseconds, a client that sends nothing is waited for, and one that sends on and on. */
const QUIET = 2_000
const LONGEST = 30_000

/**
 * The end of a connection that its client may still be sending on: says that nothing more will come, and reads on for
 * a while, throwing away what it reads. A socket closed with unread octets would be reset, and the client might lose
 * the last reply, which many only read once they have sent everything (RFC 9112 section 9.6).
 */
export class LingeringClose implements Timed {
  deadline: number
  private readonly socket: Socket
  private readonly deadlines: Deadlines
  private readonly writeTimeout: number
  private taken: number
  /** When the client has had long enough; Infinity until it has taken the last reply. */
  private last = Number.POSITIVE_INFINITY

  /** `writeTimeout`, in milliseconds, is how long the client may take nothing of the rest of the last reply. */
  constructor(socket: Socket, deadlines: Deadlines, writeTimeout: number) {
    this.socket = socket
    this.deadlines = deadlines
    this.writeTimeout = writeTimeout
    this.taken = takenOf(socket)
    this.deadline = deadlines.in(writeTimeout)
    deadlines.watch(this)
    socket.once('close', () => deadlines.forget(this))
    socket.end(() => {
      this.last = deadlines.in(LONGEST)
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
    const taken = takenOf(this.socket)
    if (taken > this.taken) {
      this.taken = taken
      this.deadline = this.deadlines.in(this.writeTimeout)
      return
    }
    // Cut off as it is, the last reply must not look like a whole one.
    reset(this.socket)
  }
}
