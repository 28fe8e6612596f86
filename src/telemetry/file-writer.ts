import { pino } from 'pino'
import { BUFFER_SIZE, linesOf, type Writer, type WriterEvents } from './writer.ts'

/** What is handed to a file at once, in bytes: appending takes whole what is written in one piece, however long. */
export const FILE_PIECE = 32 * 1024

/** How long the end may take, in milliseconds: a disk that answers nothing does not keep the process. */
const END_PATIENCE = 5000

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

/** Writes to a file, in another thread, as a disk may take its time. */
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
  return {
    // oxlint-disable-next-line no-unsafe-type-assertion -- sonic-boom's types do not know what the content mode means
    write: (piece) => void writer.write(piece as unknown as string),
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
