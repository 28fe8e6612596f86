/* oxlint-disable no-underscore-dangle -- Node's names for the write methods of a stream */
import type { Socket } from 'node:net'

type Done = (error?: Error | null) => void

/**
 * Makes a socket keep reading once it can no longer be written to: a peer that replies early and closes with the rest
 * of the request unread resets the connection, and what it has sent before is still to be read (RFC 9112 section 9.5).
 * A failed write is never reported as done, as Node would deliver no more data after the error: it stays pending, and
 * no later write starts. The end of the connection is reported by the reading side, which notices it as well.
 */
export function keepReading(socket: Socket): void {
  const write = socket._write.bind(socket)
  const writeAll = socket._writev?.bind(socket)
  const quiet = quietly()
  socket._write = (chunk, encoding, done) => write(chunk, encoding, quiet(done))
  if (writeAll !== undefined) socket._writev = (chunks, done) => writeAll(chunks, quiet(done))
}

/** Wraps write callbacks; cached, as Node uses the same callback for all writes of a socket. */
function quietly(): (done: Done) => Done {
  let last: { readonly done: Done; readonly quiet: Done } | null = null
  return (done) => {
    if (last?.done === done) return last.quiet
    const quiet: Done = (error) => {
      if (!(error instanceof Error) || !isOfWriting(error)) done(error)
    }
    last = { done, quiet }
    return quiet
  }
}

function isOfWriting(error: Error): boolean {
  return 'syscall' in error && error.syscall === 'write'
}
