import type { BodySink, BodyStream } from '../../http/body.ts'
import type { Clock } from '../../core/clock.ts'
import type { Headers } from '../../http/headers.ts'
import type { Coding, Compressor } from './codings.ts'

/** How long, in milliseconds, octets of a slow source may wait in the compressor for more. */
const FLUSH_AFTER = 10

/** What a compressed body needs besides its source. */
export interface Compression {
  readonly coding: Coding
  readonly level: number
  readonly clock: Clock
  /** Told once, when the compressor is there no more. */
  readonly released: () => void
}

/**
 * A body that is compressed on its way. It holds what the compressor does and one piece of each side: the source pauses
 * until its piece is taken, and the compressor until its own is.
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

  // To whoever takes it

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

  /** The compressor fills none of its pieces twice. */
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

  /** Gives everything back; false if that was done before. */
  private release(): boolean {
    if (this.over) return false
    this.over = true
    this.stopFlushing()
    this.compressor?.destroy()
    this.compression.released()
    return true
  }
}
