import { ConnectionError, ErrorCode } from './errors.ts'
import { WINDOW, windowUpdateFrame } from './frames.ts'
import type { Output } from './output.ts'

/** Bytes of content that a peer may send on a connection before any of it is consumed. */
const SIZE = 4_194_304

/** The flow-control window of a connection for what its peer sends (RFC 9113 section 5.2). */
export class ReceiveWindow {
  private readonly output: Output
  private left = SIZE
  /** Bytes consumed that have not been reported to the peer. */
  private unreported = 0

  constructor(output: Output) {
    this.output = output
  }

  /** The frame that enlarges the initial window to SIZE. */
  static readonly opening = windowUpdateFrame(0, SIZE - WINDOW)

  /** Counts received bytes. Throws ConnectionError where there was no room for them. */
  receives(bytes: number): void {
    this.left -= bytes
    if (this.left < 0)
      throw new ConnectionError(ErrorCode.flowControlError, 'The content exceeds the flow-control window.')
  }

  /** Counts consumed bytes. */
  consumed(bytes: number): void {
    this.unreported += bytes
    if (this.unreported < SIZE / 2) return
    this.left += this.unreported
    this.output.put(windowUpdateFrame(0, this.unreported))
    this.unreported = 0
  }
}
