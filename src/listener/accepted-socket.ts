import { Buffer } from 'node:buffer'
import { Socket, type SocketConstructorOpts } from 'node:net'
import { takeHandle } from '../core/node-internals.ts'
import { type Reader, sharedBuffer } from '../http/read-buffers.ts'

/** Octets that may wait in a socket before a sender is asked to pause. */
const HIGH_WATER_MARK = 65_536

/**
 * A socket for an accepted connection that reads into the buffer its reader names, as `net.connect` offers it with its
 * `onread` option and `net.Server` does not: no buffer is allocated for a read, and no stream stands between. The accepted socket, which must not have begun to read, gives its handle
 * away; should it have none, it is read as a stream.
 */
export function readLent(accepted: Socket, reader: () => Reader | null): Socket {
  const handle = takeHandle(accepted)
  if (handle === null) {
    accepted.on('data', (octets) => {
      if (typeof octets !== 'string') reader()?.read(octets, octets.length)
    })
    return accepted
  }
  const options: SocketConstructorOpts & { highWaterMark: number } = {
    allowHalfOpen: true,
    highWaterMark: HIGH_WATER_MARK,
    onread: {
      buffer: () => reader()?.readBuffer ?? sharedBuffer,
      callback(length, octets) {
        if (Buffer.isBuffer(octets)) reader()?.read(octets, length)
        return true
      },
    },
  }
  // Not among the types of 26.10.0: there `handle` is a socket that is bound and not yet connected.
  Reflect.set(options, 'handle', handle)
  return new Socket(options)
}
