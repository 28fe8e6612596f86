import type { BodyStream, Bytes } from '../http/body.ts'
import { type Awaiting, gatheredBodies, GatheredBody } from '../http/gathered-body.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'

/**
 * How long, in milliseconds, a body of unknown length may pause before what is there of it is passed on: its sender may
 * be waiting for the service.
 */
const PATIENCE = 1_000

/** A body of the client of that address of which so many octets are to be gathered; null for a little. */
export function toGather(body: BodyStream, client: string, octets: number | null): GatheredBody {
  if (octets === null || octets === 0) return new GatheredBody(body, client)
  return new GatheredBody(body, client, gatheredBodies, octets)
}

/** Has the body gathered for `awaiting`, which may be told before it returns. */
export function gather(body: GatheredBody, deadlines: Deadlines, awaiting: Awaiting): void {
  if (body.length >= 0) return body.gather(awaiting)
  const pause = new Pause(body, deadlines, awaiting)
  deadlines.watch(pause)
  body.gather(pause)
}

/**
 * Has what is here of the body by the end of this turn of the event loop gathered for `awaiting`: where both sides may go on sending, the
 * service may have something to say first.
 */
export function gatherWhatIsHere(body: GatheredBody, awaiting: Awaiting): void {
  body.gather(awaiting)
  setImmediate(() => body.begin())
}

/** Looks after the sender of a body of unknown length. */
class Pause implements Timed, Awaiting {
  deadline: number
  private readonly body: GatheredBody
  private readonly deadlines: Deadlines
  private readonly awaiting: Awaiting

  constructor(body: GatheredBody, deadlines: Deadlines, awaiting: Awaiting) {
    this.body = body
    this.deadlines = deadlines
    this.awaiting = awaiting
    this.deadline = deadlines.in(PATIENCE)
  }

  onDeadline(): void {
    if (this.body.empty) this.deadline = this.deadlines.in(PATIENCE)
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
