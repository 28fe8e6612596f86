import type { Socket } from 'node:net'
import { TurnWriter } from '../http/turn-writer.ts'
import { Flag, FRAME_SIZE, frameHeader, FrameType } from './frames.ts'

/** Up to here content is put into the one text that is written, as a copy costs less than a write of its own. */
const AS_TEXT = 15_000
/** Octets that may wait to be written before nothing more is read. */
const MOST = 262_144

/** What goes to the peer of one connection: whatever comes in one turn of the loop is written at once. */
export class Output {
  private readonly socket: Socket
  private readonly text: TurnWriter

  constructor(socket: Socket) {
    this.socket = socket
    this.text = new TurnWriter(socket)
  }

  /** Whether the peer takes no more for now: the socket emits 'drain' when it does. */
  get blocked(): boolean {
    return this.socket.writableNeedDrain || this.text.length > MOST / 4
  }

  /** Whether there is so much to be written that nothing more may be asked for. */
  get full(): boolean {
    return this.pending > MOST
  }

  /** Octets that were not written yet, or not taken. */
  get pending(): number {
    return this.text.length + this.socket.writableLength
  }

  /** Frames, one character an octet. */
  put(frames: string): void {
    this.text.put(frames)
  }

  /**
   * Content of a stream as DATA frames, the last of which ends it if `last`. Returns whether the content is used until `written`
   * is called.
   */
  putContent(stream: number, content: Buffer, last: boolean, written: () => void): boolean {
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
      socket.write(content.subarray(at, end), () => {
        if (lent && end === length) written()
      })
    }
    socket.uncork()
    lent = socket.writableLength > 0
    return lent
  }

  /** Writes what there is. */
  flush(): void {
    this.text.flush()
  }
}
