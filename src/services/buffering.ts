import type { BodyStream, Bytes } from '../http/body.ts'
import { type BufferingListener, bufferedBodies, BufferedBody } from '../http/buffered-body.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'

/**
 * How long a body of unknown length may pause, in milliseconds, before the part that has arrived is passed on: its sender may be waiting
 * for the service.
 */
const TIMEOUT = 1_000

/** Creates the buffer for a body from the client with that address; `bytes` is the number of bytes to buffer, null for a small default. */
export function bodyToBuffer(body: BodyStream, client: string, bytes: number | null): BufferedBody {
  if (bytes === null || bytes === 0) return new BufferedBody(body, client)
  return new BufferedBody(body, client, bufferedBodies, bytes)
}

/** Buffers the body for `awaiting`, which may be called before this returns. */
export function bufferBody(body: BufferedBody, deadlines: Deadlines, awaiting: BufferingListener): void {
  if (body.length >= 0) return body.buffer(awaiting)
  const pause = new Pause(body, deadlines, awaiting)
  deadlines.watch(pause)
  body.buffer(pause)
}

/**
 * Buffers what has arrived by the end of this event-loop turn: where both sides may send at any time, the service may have to send first.
 */
export function bufferArrived(body: BufferedBody, awaiting: BufferingListener): void {
  body.buffer(awaiting)
  setImmediate(() => body.begin())
}

/** Watches for pauses in a body of unknown length. */
class Pause implements Timed, BufferingListener {
  deadline: number
  watchIndex = -1
  private readonly body: BufferedBody
  private readonly deadlines: Deadlines
  private readonly awaiting: BufferingListener

  constructor(body: BufferedBody, deadlines: Deadlines, awaiting: BufferingListener) {
    this.body = body
    this.deadlines = deadlines
    this.awaiting = awaiting
    this.deadline = deadlines.in(TIMEOUT)
  }

  onDeadline(): void {
    if (this.body.empty) this.deadline = this.deadlines.in(TIMEOUT)
    else this.body.begin()
  }

  buffered(body: Bytes | BufferedBody): void {
    this.deadlines.forget(this)
    this.awaiting.buffered(body)
  }

  broken(error: Error): void {
    this.deadlines.forget(this)
    this.awaiting.broken(error)
  }
}
