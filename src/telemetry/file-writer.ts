import { pino } from 'pino'
import { BUFFER_SIZE, linesOf, type Writer, type WriterEvents } from './writer.ts'

/**
 * The size of a write to a file, in bytes: appending is atomic for a single write, however long. To hand a write to the other thread takes
 * as much CPU time as to write 64 KiB.
 */
export const FILE_PIECE = 64 * 1024

/** The time limit for closing, in milliseconds, so that an unresponsive disk does not keep the process alive. */
const END_TIMEOUT = 5000

/** The type of sonic-boom in the content mode "buffer", which its typings do not cover. */
interface PieceSink {
  write(piece: Buffer | string): boolean
}

/** Resolves when `task` is done or takes too long. */
function inTime(task: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, END_TIMEOUT)
    task(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/**
 * Writes to a file in another thread, because a disk may be slow. It relies on undocumented behavior of sonic-boom, tested with 4.2.1: it
 * can be made synchronous while it is writing, and it stops retrying at exit if its flushSync is replaced.
 */
export function createFileWriter(descriptor: number, { lost, drained }: WriterEvents): Writer {
  const writer = pino.destination({
    dest: descriptor,
    sync: false,
    contentMode: 'buffer',
    // Writes each piece immediately; with 0, a flush would not wait for the write in progress.
    minLength: 1,
    maxWrite: FILE_PIECE,
    maxLength: BUFFER_SIZE,
  })
  const unwritten = new Unwritten()
  writer.on('drop', (piece: Buffer) => {
    unwritten.takeBack()
    lost(linesOf(piece))
  })
  writer.on('write', (bytes: number) => unwritten.written(bytes))
  writer.on('drain', drained)
  // A log that cannot be written is no reason to stop serving.
  writer.on('error', () => {
    // It would retry forever when the process exits.
    writer.flushSync = () => {}
  })
  const pieces: PieceSink = writer
  return {
    write(piece) {
      unwritten.add(piece)
      pieces.write(piece)
    },
    flushSync() {
      // From here on, no work may be started that another thread would have to finish.
      Object.assign(writer, { sync: true })
      writer.flushSync()
    },
    flush: () => inTime((done) => writer.flush(done)),
    end: () =>
      inTime((done) => {
        writer.once('close', done)
        // It would stay open, and a full disk would not get back the room of a file that has been removed.
        writer.once('error', () => {
          const lines = unwritten.lines
          if (lines > 0) lost(lines)
          writer.destroy()
        })
        writer.end()
      }),
  }
}

/** The pieces that are not completely written. */
class Unwritten {
  private readonly pieces: Buffer[] = []
  /** The number of bytes of the first one that are written. */
  private bytes = 0

  /** The number of their lines. */
  get lines(): number {
    const written = this.bytes
    return this.pieces.reduce((sum, piece, i) => sum + linesOf(i === 0 ? piece.subarray(written) : piece), 0)
  }

  add(piece: Buffer): void {
    this.pieces.push(piece)
  }

  /** The last piece was not accepted. */
  takeBack(): void {
    this.pieces.pop()
  }

  written(bytes: number): void {
    this.bytes += bytes
    for (let [first] = this.pieces; first !== undefined && this.bytes >= first.length; [first] = this.pieces) {
      this.bytes -= first.length
      this.pieces.shift()
    }
  }
}
