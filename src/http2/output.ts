import type { Socket } from 'node:net'
import { TurnWriter } from '../http/turn-writer.ts'
import { Flag, FRAME_SIZE, frameHeader, FrameType } from './frames.ts'

/**
 * Up to this size, in bytes, content is added to the text that is written, as a copy costs less than a separate write.
 */
const AS_TEXT = 15_000
/** Bytes that may be pending before reading stops. */
const MAX = 262_144

/** The output of one connection: everything from one turn of the event loop is written at once. */
export class Output {
  private readonly socket: Socket
  private readonly text: TurnWriter

  constructor(socket: Socket) {
    this.socket = socket
    this.text = new TurnWriter(socket)
  }

  /** Whether the peer takes no more for now: the socket emits 'drain' once it does. */
  get blocked(): boolean {
    return this.socket.writableNeedDrain || this.text.length > MAX / 4
  }

  /** Whether the peer has ended its side: it sends nothing more, such as WINDOW_UPDATE. */
  get peerLeft(): boolean {
    return this.socket.readableEnded
  }

  /** Whether so much is pending that nothing more should be read. */
  get full(): boolean {
    return this.pending > MAX
  }

  /** Bytes that have not been written, or not been taken by the operating system. */
  get pending(): number {
    return this.text.length + this.socket.writableLength
  }

  /** Adds frames, one character per byte. */
  put(frames: string): void {
    this.text.put(frames)
  }

  /**
   * Writes content of a stream as DATA frames, the last of which ends the stream if `last` is set. Returns whether the
   * content stays in use until `written` is called, with the error of the socket if there was one.
   */
  putContent(
    stream: number,
    content: Buffer,
    last: boolean,
    written: (error: Error | null | undefined) => void,
  ): boolean {
    const { length } = content
    if (length <= AS_TEXT) {
      this.put(frameHeader(length, FrameType.data, last ? Flag.endStream : 0, stream) + content.toString('latin1'))
      return false
    }
    const { socket } = this
    let lent = false
    socket.cork()
    for (let at = 0; at < length; at += FRAME_SIZE) {
      const end = Math.min(length, at + FRAME_SIZE)
      const flags = last && end === length ? Flag.endStream : 0
      socket.write(this.text.take() + frameHeader(end - at, FrameType.data, flags, stream), 'latin1')
      socket.write(content.subarray(at, end), (error) => {
        if (lent && end === length) written(error)
      })
    }
    socket.uncork()
    lent = socket.writableLength > 0
    return lent
  }

  /** Writes what has been collected. */
  flush(): void {
    this.text.flush()
  }
}
