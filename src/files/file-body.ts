import { close, read } from 'node:fs'
import type { BodySink, BodyStream } from '../http/body.ts'

/** Bytes per read. */
const PIECE = 65_536

/** A range of an open file, sent to a client as fast as it reads. Closes the file at the end. */
export class FileBody implements BodyStream {
  readonly length: number
  private readonly descriptor: number
  private readonly end: number
  private at: number
  private buffer = Buffer.allocUnsafeSlow(0)
  private sink: BodySink | null = null
  private reading = false
  private closed = false

  /** From `start` to `end`, exclusive. */
  constructor(descriptor: number, start: number, end: number) {
    this.descriptor = descriptor
    this.at = start
    this.end = end
    this.length = end - start
  }

  pipe(sink: BodySink): void {
    this.sink = sink
    this.resume()
  }

  resume(): void {
    const { sink } = this
    if (sink === null || this.reading) return
    const bytes = Math.min(PIECE, this.end - this.at)
    if (bytes === 0) return this.finish(() => sink.end(null))
    if (this.buffer.length < bytes) this.buffer = Buffer.allocUnsafeSlow(bytes)
    this.reading = true
    read(this.descriptor, this.buffer, 0, bytes, this.at, (error, length) => {
      this.reading = false
      if (this.sink === null) return this.close()
      if (error !== null) return this.finish(() => sink.fail(error))
      if (length === 0) return this.finish(() => sink.fail(new Error('the file has become shorter while it was sent')))
      this.at += length
      if (sink.write(this.buffer.subarray(0, length))) this.resume()
    })
  }

  leave(): boolean {
    // The next piece gets a new buffer.
    this.buffer = Buffer.allocUnsafeSlow(0)
    return true
  }

  cancel(): void {
    this.sink = null
    if (!this.reading) this.close()
  }

  private finish(callback: () => void): void {
    this.sink = null
    this.close()
    callback()
  }

  private close(): void {
    if (this.closed) return
    this.closed = true
    close(this.descriptor)
  }
}
