import type { Socket } from 'node:net'

/**
 * Has a socket read on where it cannot be written to any more: a peer that replies early and closes with the rest of a
 * request unread resets the connection, and what it has said before is still to be read (RFC 9112 section 9.5). The end
 * of the connection then comes from the reading side.
 */
export function readOn(socket: Socket): void {
  const destroy = socket.destroy.bind(socket)
  socket.destroy = (error) => {
    if (error !== undefined && isOfWriting(error)) return socket
    return destroy(error)
  }
}

function isOfWriting(error: Error): boolean {
  return 'syscall' in error && error.syscall === 'write'
}
