import { Socket } from 'node:net'
import { TurnWriter } from '../../src/http/turn-writer.ts'

type Done = (error?: Error | null) => void

/**
 * A socket without a network: writes are recorded, and the test provides what arrives, all synchronously. Like a real socket, it keeps
 * using data that has not been taken yet: the data must not change until the write is reported as done.
 */
export class RecordingSocket extends Socket {
  /** Whether the peer accepts what is written. */
  taking = true
  /** Whether the peer accepts each of the next writes, one after another, regardless of `taking`. */
  takes: boolean[] = []
  /** Number of bytes that may wait here before it asks for writing to stop. */
  room = 0
  reading = true
  hasEnded = false
  wasReset = false
  private taken = ''
  private readonly untaken: { bytes: Uint8Array; done: Done | null }[] = []

  constructor() {
    super({ allowHalfOpen: true })
    // The stream's own value would need a peer.
    Object.defineProperty(this, 'writableNeedDrain', { get: () => this.writableLength > this.room })
    Object.defineProperty(this, 'writableLength', {
      get: () => this.untaken.reduce((sum, { bytes }) => sum + bytes.length, 0),
    })
  }

  /** Everything accepted so far, one character per byte; reading it ends the turn. */
  get written(): string {
    TurnWriter.endTurn()
    return this.taken
  }

  set written(text: string) {
    this.taken = text
  }

  /** Bytes arrive, one character per byte, and are all that arrives in this turn. */
  receive(text: string): void {
    this.emit('data', Buffer.from(text, 'latin1'))
    TurnWriter.endTurn()
  }

  /** The peer accepts everything that is waiting. */
  drain(): void {
    TurnWriter.endTurn()
    this.taking = true
    const taken = this.untaken.splice(0)
    for (const { bytes } of taken) this.taken += latin1(bytes)
    this.emit('drain')
    for (const { done } of taken) done?.()
    TurnWriter.endTurn()
  }

  /** What was accepted since the last call. */
  flush(): string {
    const { written } = this
    this.written = ''
    return written
  }

  override write(data: string | Uint8Array, encoding?: BufferEncoding | Done, then?: Done): boolean {
    if (typeof data === 'string' && encoding !== 'latin1') throw new Error('text is written as latin1 only')
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    const done = typeof encoding === 'function' ? encoding : (then ?? null)
    if (!(this.takes.shift() ?? this.taking) || this.untaken.length > 0) {
      this.untaken.push({ bytes, done })
      return false
    }
    this.taken += latin1(bytes)
    if (done !== null) process.nextTick(done)
    return true
  }

  override end(data?: unknown, encoding?: unknown, then?: () => void): this {
    this.hasEnded = true
    for (const argument of [data, encoding, then]) if (isCallback(argument)) argument()
    return this
  }

  override pause(): this {
    this.reading = false
    return this
  }

  override resume(): this {
    this.reading = true
    return this
  }

  override isPaused(): boolean {
    return !this.reading
  }

  override destroySoon(): void {
    this.hasEnded = true
    if (this.untaken.length === 0) this.destroy()
    else this.once('drain', () => this.destroy())
  }

  override resetAndDestroy(): this {
    this.wasReset = true
    return this.destroy()
  }
}

/** Reads incoming bytes like a socket that reads into a given buffer. */
export interface Reader {
  readonly readBuffer: Buffer
  read(bytes: Buffer, end: number): void
}

/** Lets everything that arrives be read the way `net` does: into the buffer that was returned after the last read. */
export function readInto(socket: RecordingSocket, reader: Reader): void {
  let buffer = reader.readBuffer
  socket.on('data', (bytes: Buffer) => {
    if (!socket.reading) throw new Error('bytes arrive while reading is paused')
    for (let at = 0; at < bytes.length; at += buffer.length) {
      const end = bytes.copy(buffer, 0, at)
      // The buffer contains old data after what was read.
      buffer.write('\r\n\r\nGET / HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', end, 'latin1')
      reader.read(buffer, end)
      buffer = reader.readBuffer
    }
  })
}

function isCallback(argument: unknown): argument is () => void {
  return typeof argument === 'function'
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
