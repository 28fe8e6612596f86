import type { BodyStream, Bytes } from '../http/body.ts'
import { type Awaiting, gatheredBodies, GatheredBody } from '../http/gathered-body.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'

/**
 * How long a body of unknown length may pause, in milliseconds, before the part that has arrived is passed on: its sender may be waiting
 * for the service.
 */
const TIMEOUT = 1_000

/** Creates the buffer for a body from the client with that address; `bytes` is the number of bytes to buffer, null for a small default. */
export function toGather(body: BodyStream, client: string, bytes: number | null): GatheredBody {
  if (bytes === null || bytes === 0) return new GatheredBody(body, client)
  return new GatheredBody(body, client, gatheredBodies, bytes)
}

/** Buffers the body for `awaiting`, which may be called before this returns. */
export function gather(body: GatheredBody, deadlines: Deadlines, awaiting: Awaiting): void {
  if (body.length >= 0) return body.gather(awaiting)
  const pause = new Pause(body, deadlines, awaiting)
  deadlines.watch(pause)
  body.gather(pause)
}

/**
 * Buffers what has arrived by the end of this event-loop turn: where both sides may send at any time, the service may have to send first.
 */
export function gatherWhatIsHere(body: GatheredBody, awaiting: Awaiting): void {
  body.gather(awaiting)
  setImmediate(() => body.begin())
}

/** Watches for pauses in a body of unknown length. */
class Pause implements Timed, Awaiting {
  deadline: number
  private readonly body: GatheredBody
  private readonly deadlines: Deadlines
  private readonly awaiting: Awaiting

  constructor(body: GatheredBody, deadlines: Deadlines, awaiting: Awaiting) {
    this.body = body
    this.deadlines = deadlines
    this.awaiting = awaiting
    this.deadline = deadlines.in(TIMEOUT)
  }

  onDeadline(): void {
    if (this.body.empty) this.deadline = this.deadlines.in(TIMEOUT)
    else this.body.begin()
  }

  gathered(body: Bytes | GatheredBody): void {
    this.deadlines.forget(this)
    this.awaiting.gathered(body)
  }

  broken(error: Error): void {
    this.deadlines.forget(this)
    this.awaiting.broken(error)
  }
}
