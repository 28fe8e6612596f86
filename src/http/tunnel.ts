import { GatewayError } from '../core/errors.ts'
import type { Tunnel, TunnelEnd } from './upgrade.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import { closeFrame, FrameBoundaries, GOING_AWAY } from './websocket-close.ts'

/** How long, in milliseconds, both sides have to end a WebSocket that the gateway closes. */
const CLOSE_TIMEOUT = 1_000

/** How long, in milliseconds, one side may stay silent once the other has ended. */
const HALF_CLOSED = 5_000

/** How long after that, in milliseconds, it may take none of what was written to it, whatever the idle timeout is. */
const UNTAKEN = 60_000

export interface TunnelOptions {
  readonly client: TunnelEnd
  readonly service: TunnelEnd
  readonly protocol: string
  readonly deadlines: Deadlines
  /** Longest silence in both directions, in milliseconds. */
  readonly idleTimeout: number
}

/**
 * Connects two ends after an upgrade, with backpressure and half-close in both directions, and a common idle timeout.
 */
export class TunnelRelay implements Tunnel, Timed {
  bytes = 0
  error: GatewayError | null = null
  deadline: number
  watchIndex = -1

  private readonly client: TunnelEnd
  private readonly service: TunnelEnd
  private readonly deadlines: Deadlines
  private readonly idleTimeout: number
  /** Follows the frames that the service sends; null where the protocol's framing is unknown. */
  private readonly frames: FrameBoundaries | null
  /** Status code of a Close frame to be sent once the current frame of the service ends; 0 for none. */
  private closing = 0
  /** The gateway has sent the client a Close frame: nothing may follow it. */
  private closeSent = false
  /** It ends at its deadline, regardless of further traffic. */
  private leaving = false
  /** One side has ended. */
  private ending = false
  /** The client has to take something first: its connection limits for how long it may take nothing. */
  private awaitsClient = false
  /** Bytes that had not been taken when the deadline was extended for them; 0 if it was not. */
  private awaited = 0

  constructor({ client, service, protocol, deadlines, idleTimeout }: TunnelOptions) {
    this.frames = protocol.toLowerCase() === 'websocket' ? new FrameBoundaries() : null
    this.client = client
    this.service = service
    this.deadlines = deadlines
    this.idleTimeout = idleTimeout
    this.deadline = deadlines.in(idleTimeout)
    deadlines.watch(this)
  }

  fromClient(bytes: Buffer): void {
    this.pass(bytes, this.client, this.service)
  }

  fromService(bytes: Buffer): void {
    if (this.closeSent) return
    const { frames } = this
    if (this.closing !== 0 && frames !== null) return this.passLast(bytes, frames)
    frames?.follow(bytes)
    this.bytes += bytes.length
    this.pass(bytes, this.service, this.client)
  }

  clientDrained(): void {
    this.awaitsClient = false
    this.moved()
    this.service.resume()
  }

  serviceDrained(): void {
    this.moved()
    this.client.resume()
  }

  clientEnded(): void {
    this.service.end()
    this.oneEnded()
  }

  serviceEnded(): void {
    this.client.end()
    this.oneEnded()
  }

  close(): void {
    this.client.destroySoon()
    this.service.destroySoon()
    if (this.client.destroyed && this.service.destroyed) return this.deadlines.forget(this)
    if (!this.ending) this.oneEnded()
  }

  destroy(): void {
    this.deadlines.forget(this)
    this.client.destroy()
    this.service.destroy()
  }

  leave(status: number): void {
    const { frames } = this
    if (frames === null) return this.destroy()
    if (this.leaving) return
    this.leaving = true
    this.deadline = this.deadlines.in(CLOSE_TIMEOUT)
    if (frames.closed || this.client.writableEnded) return
    this.closing = status
    if (frames.between) this.sayClose()
  }

  onDeadline(): void {
    const { client, service, idleTimeout } = this
    const untaken = client.writableLength + service.writableLength
    const progresses = this.awaited === 0 || untaken < this.awaited
    if (!this.ending || this.leaving || untaken === 0 || !progresses || idleTimeout < HALF_CLOSED) return this.giveUp()
    // The last bytes may be on their way to a peer that is slow to take them.
    this.awaited = untaken
    this.deadline = this.deadlines.in(Math.min(idleTimeout, UNTAKEN))
  }

  /** A WebSocket that was idle for too long gets a Close frame first. */
  private giveUp(): void {
    const { client, service, leaving, ending } = this
    if (leaving || ending || client.destroyed || service.destroyed) return this.destroy()
    this.error = new GatewayError('gateway-timeout', 'Neither side sent anything within the idle timeout.')
    this.leave(GOING_AWAY)
  }

  private oneEnded(): void {
    this.ending = true
    this.moved()
  }

  private moved(): void {
    if (this.leaving) return
    this.awaited = 0
    this.deadline = this.deadlines.in(this.silence)
  }

  /** For how long nothing may happen, in milliseconds. */
  private get silence(): number {
    if (this.ending) return Math.min(HALF_CLOSED, this.idleTimeout)
    return this.awaitsClient ? Number.POSITIVE_INFINITY : this.idleTimeout
  }

  /**
   * The client replies with its own Close frame, which goes to the service. What the service still sends is discarded.
   */
  private sayClose(): void {
    this.closeSent = true
    this.client.write(closeFrame(this.closing))
    this.service.resume()
  }

  private passLast(bytes: Buffer, frames: FrameBoundaries): void {
    const end = frames.followOne(bytes)
    this.bytes += end
    this.pass(bytes.subarray(0, end), this.service, this.client)
    if (frames.between && !frames.closed) this.sayClose()
  }

  private pass(bytes: Buffer, from: TunnelEnd, to: TunnelEnd): void {
    const goesOn = to.write(Buffer.from(bytes))
    if (to === this.client) this.awaitsClient = !goesOn
    this.moved()
    if (!goesOn) from.pause()
  }
}
