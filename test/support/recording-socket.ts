import { Socket } from 'node:net'

/** A socket that leads nowhere: what is written to it is kept, and the test says what arrives, all within the call. */
export class RecordingSocket extends Socket {
  /** Everything written so far, one character an octet. */
  written = ''
  /** What `write` answers: false as if the peer took no more for now. */
  taking = true
  reading = true
  hasEnded = false
  wasReset = false

  constructor() {
    super()
    // The stream's own answer would need a peer.
    Object.defineProperty(this, 'writableNeedDrain', { get: () => !this.taking })
  }

  /** Octets arrive, one character an octet. */
  receive(text: string): void {
    this.emit('data', Buffer.from(text, 'latin1'))
  }

  /** The peer takes what there is. */
  drain(): void {
    this.taking = true
    this.emit('drain')
  }

  /** What was written since the last call. */
  flush(): string {
    const { written } = this
    this.written = ''
    return written
  }

  override write(data: string | Uint8Array, encoding?: unknown): boolean {
    this.written += typeof data === 'string' ? data : Buffer.from(data).toString('latin1')
    if (typeof data === 'string' && encoding !== 'latin1') throw new Error('text goes out as latin1 only')
    return this.taking
  }

  override end(then?: unknown): this {
    this.hasEnded = true
    if (typeof then === 'function') then()
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

  override resetAndDestroy(): this {
    this.wasReset = true
    return this.destroy()
  }
}
