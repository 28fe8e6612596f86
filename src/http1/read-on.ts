/* oxlint-disable no-underscore-dangle -- so Node names what a stream is written by */
import type { Socket } from 'node:net'

type Done = (error?: Error | null) => void

/**
 * Has a socket read on where it cannot be written to any more: a peer that replies early and closes with the rest of a
 * request unread resets the connection, and what it has said before is still to be read (RFC 9112 section 9.5). A write
 * that fails is not told, as Node would deliver nothing more after it: it never ends, and nothing after it begins. The end
 * of the connection comes from the reading side, which has it as well.
 */
export function readOn(socket: Socket): void {
  const write = socket._write.bind(socket)
  const writeAll = socket._writev?.bind(socket)
  const quiet = quietly()
  socket._write = (chunk, encoding, done) => write(chunk, encoding, quiet(done))
  if (writeAll !== undefined) socket._writev = (chunks, done) => writeAll(chunks, quiet(done))
}

/** Makes functions of those that are told of each write: Node has one for all writes of a socket. */
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
