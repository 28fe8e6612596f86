import { pino } from 'pino'
import { BUFFER_SIZE, linesOf, type Writer, type WriterEvents } from './writer.ts'

/** What is handed to a file at once, in bytes: appending takes whole what is written in one piece, however long. */
export const FILE_PIECE = 32 * 1024

/** How long the end may take, in milliseconds: a disk that answers nothing does not keep the process. */
const END_PATIENCE = 5000

/** What sonic-boom is in the content mode "buffer", which its types do not know. */
interface PieceSink {
  write(piece: Buffer | string): boolean
}

/** Resolves when `task` is done, or takes too long. */
function inTime(task: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, END_PATIENCE)
    task(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/**
 * Writes to a file, in another thread, as a disk may take its time. That sonic-boom can be made synchronous while it writes, and stops
 * trying at an exit without its flushSync, is not among what it says of itself: tried on 4.2.1.
 */
export function createFileWriter(descriptor: number, { lost, drained }: WriterEvents): Writer {
  const writer = pino.destination({
    dest: descriptor,
    sync: false,
    contentMode: 'buffer',
    // Writes each piece at once; with 0, a flush would not wait for what is being written.
    minLength: 1,
    maxWrite: FILE_PIECE,
    maxLength: BUFFER_SIZE,
  })
  writer.on('drop', (piece: Buffer) => lost(linesOf(piece)))
  writer.on('drain', drained)
  // A log that cannot be written is no reason to stop serving.
  writer.on('error', () => {
    // Would try for ever when the process exits.
    writer.flushSync = () => {}
  })
  const pieces: PieceSink = writer
  return {
    write: (piece) => void pieces.write(piece),
    flushSync() {
      // Nothing may be begun now that another thread would have to end.
      Object.assign(writer, { sync: true })
      writer.flushSync()
    },
    flush: () => inTime((done) => writer.flush(done)),
    end: () =>
      inTime((done) => {
        writer.once('close', done)
        writer.once('error', done)
        writer.end()
      }),
  }
}
