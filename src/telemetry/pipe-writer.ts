import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { codeOf } from '../core/error-facts.ts'
import { BUFFER_SIZE, linesOf, type Writer, type WriterEvents } from './writer.ts'

/** The size up to which a write to a pipe is atomic (PIPE_BUF), in bytes: lines of several threads do not get mixed up. */
export const PIPE_PIECE = 4096

/** The number of pieces that are written per turn of the event loop. */
const AT_ONCE = 64
/** The delay before the next attempt if the pipe is full, in milliseconds. */
const RETRY = 5
/** How long closing waits for a reader, in milliseconds. */
export interface PipeTimeouts {
  /** For the reader to take anything. */
  readonly silence: number
  /** For the reader to take everything. */
  readonly total: number
}

const TIMEOUT: PipeTimeouts = { silence: 1000, total: 5000 }

/** Descriptors of the standard streams, which are not ours to close. */
const STANDARD = 2

/**
 * Writes to a pipe, a socket or a terminal without ever blocking. A blocking write would hold a thread of the process, and the process
 * could not exit until someone reads.
 */
export class PipeWriter implements Writer {
  private readonly descriptor: number
  private readonly original: number
  private readonly clock: Clock
  private readonly events: WriterEvents
  private readonly wait: PipeTimeouts
  private queue: Buffer[] = []
  private waiting = 0
  private broken = false
  private cancel: (() => void) | null = null

  /** `descriptor` is closed at the end unless it is a standard stream. */
  constructor(descriptor: number, clock: Clock, events: WriterEvents, timeout = TIMEOUT) {
    this.original = descriptor
    this.descriptor = openWithoutWaiting(descriptor)
    this.clock = clock
    this.events = events
    this.wait = timeout
  }

  write(piece: Buffer): void {
    if (this.broken || this.waiting + piece.length > BUFFER_SIZE) return this.events.lost(linesOf(piece))
    this.queue.push(piece)
    this.waiting += piece.length
    if (this.cancel === null) this.work()
  }

  flushSync(): void {
    const pause = new Int32Array(new SharedArrayBuffer(4))
    const isOver = this.timeout()
    while (!this.send(Number.POSITIVE_INFINITY) && !isOver()) Atomics.wait(pause, 0, 0, RETRY)
    this.giveUp()
  }

  async flush(): Promise<void> {
    const isOver = this.timeout()
    // A timer that keeps the process alive, because there may be nothing else left to do so.
    while (!this.send(AT_ONCE)) {
      if (isOver()) return this.giveUp()
      await new Promise((resolve) => setTimeout(resolve, RETRY))
    }
  }

  async end(): Promise<void> {
    await this.flush()
    this.giveUp()
    if (this.descriptor !== this.original) closeSync(this.descriptor)
    if (this.original > STANDARD) closeSync(this.original)
  }

  private work(): void {
    this.cancel = null
    if (!this.send(AT_ONCE)) {
      this.cancel = this.clock.after(RETRY, () => this.work())
      return
    }
    if (!this.broken) this.events.drained()
  }

  /** Writes up to that many pieces; returns true if none are left. */
  private send(pieces: number): boolean {
    let done = 0
    for (const [at, piece] of this.queue.entries()) {
      if (done === pieces || !this.sendOne(piece, at)) break
      done++
    }
    if (this.broken) return true
    this.queue = done === 0 ? this.queue : this.queue.slice(done)
    return this.queue.length === 0
  }

  /** False if the pipe has no room, or no longer accepts anything. */
  private sendOne(piece: Buffer, at: number): boolean {
    try {
      const written = writeSync(this.descriptor, piece)
      this.waiting -= written
      if (written === piece.length) return true
      this.queue[at] = piece.subarray(written)
      return false
    } catch (error) {
      // A reader that has gone (EPIPE) or a terminal that has (EIO) does not come back. That is no reason to stop serving.
      if (codeOf(error) !== 'EAGAIN') this.giveUp()
      return false
    }
  }

  /** Returns a function that says whether to stop waiting. */
  private timeout(): () => boolean {
    const end = performance.now() + this.wait.total
    let [left, since] = [this.waiting, performance.now()]
    return () => {
      const now = performance.now()
      if (this.waiting < left) [left, since] = [this.waiting, now]
      return now > end || now - since > this.wait.silence
    }
  }

  private giveUp(): void {
    this.broken = true
    this.cancel?.()
    this.cancel = null
    const lines = this.queue.reduce((sum, piece) => sum + linesOf(piece), 0)
    this.queue = []
    this.waiting = 0
    if (lines > 0) this.events.lost(lines)
  }
}

/**
 * Opens the same destination with a non-blocking mode of its own, if the system supports that: other processes that write to it may want to
 * block.
 */
function openWithoutWaiting(descriptor: number): number {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    // A socket, or a system without /proc. Node makes the descriptor non-blocking when it wraps it in a stream.
    makeStream(descriptor)
    return descriptor
  }
}

function makeStream(descriptor: number): void {
  try {
    new Socket({ fd: descriptor, readable: false, writable: true }).unref()
  } catch {
    // Whatever the descriptor is, it is used as it is.
  }
}
