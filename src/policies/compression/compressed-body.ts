import type { BodySink, BodyStream } from '../../http/body.ts'
import type { Clock } from '../../core/clock.ts'
import type { Headers } from '../../http/headers.ts'
import type { Coding, Compressor } from './codings.ts'

/** How long bytes of a slow source may be buffered in the compressor, in milliseconds. */
const FLUSH_AFTER = 10

/** The settings of a compressed body. */
export interface Compression {
  readonly coding: Coding
  readonly level: number
  readonly clock: Clock
  /** Called once, when the compressor has been closed. */
  readonly released: () => void
}

/**
 * Compresses a body while it is streamed. It holds the compressor's state and one chunk on each side: the source pauses until its
 * chunk is consumed, and so does the compressor.
 */
export class CompressedBody implements BodyStream, BodySink {
  readonly length = -1
  private readonly source: BodyStream
  private readonly compression: Compression
  private sink: BodySink | null = null
  private compressor: Compressor | null = null
  private trailers: Headers | null = null
  private cancelFlush: (() => void) | null = null
  private over = false

  constructor(source: BodyStream, compression: Compression) {
    this.source = source
    this.compression = compression
  }

  // To the sink

  pipe(sink: BodySink): void {
    const { coding, level } = this.compression
    const compressor: Compressor = coding.create(level)
    this.sink = sink
    this.compressor = compressor
    compressor.on('data', (chunk: Buffer) => {
      if (!sink.write(chunk)) compressor.pause()
    })
    compressor.on('end', () => {
      if (!this.release()) return
      sink.end(this.trailers)
    })
    compressor.on('error', (error) => {
      if (!this.release()) return
      this.source.cancel()
      sink.fail(error)
    })
    this.source.pipe(this)
  }

  resume(): void {
    if (!this.over) this.compressor?.resume()
  }

  /** The compressor never reuses its chunks. */
  leave(): boolean {
    return true
  }

  cancel(): void {
    if (!this.release()) return
    this.source.cancel()
  }

  // From the source

  write(chunk: Buffer): boolean {
    if (this.over) return false
    this.compressor?.write(chunk, () => {
      if (!this.over) this.source.resume()
    })
    this.cancelFlush ??= this.compression.clock.after(FLUSH_AFTER, () => {
      this.cancelFlush = null
      this.compressor?.flush(this.compression.coding.flush)
    })
    return false
  }

  end(trailers: Headers | null): void {
    if (this.over) return
    this.trailers = trailers
    this.stopFlushing()
    this.compressor?.end()
  }

  fail(error: Error): void {
    if (this.release()) this.sink?.fail(error)
  }

  private stopFlushing(): void {
    this.cancelFlush?.()
    this.cancelFlush = null
  }

  /** Releases all resources; false if that was done before. */
  private release(): boolean {
    if (this.over) return false
    this.over = true
    this.stopFlushing()
    this.compressor?.destroy()
    this.compression.released()
    return true
  }
}
