import { Socket, type SocketConstructorOpts } from 'node:net'

/** Octets that may wait in a socket before a sender is asked to pause. */
const HIGH_WATER_MARK = 65_536

/** What is read from any client connection of this thread lies here until the end of the read. */
const readBuffer = Buffer.allocUnsafeSlow(65_536)

/**
 * A socket for an accepted connection that reads into one buffer of the thread, as `net.connect` offers it with its
 * `onread` option and `net.Server` does not: no buffer is allocated for a read, and no stream stands between. `read` is
 * called with octets that are only lent. The accepted socket, which must not have begun to read, gives its handle
 * away; should it have none, it is read as a stream.
 */
export function readLent(accepted: Socket, read: (octets: Buffer) => void): Socket {
  const handle: unknown = Reflect.get(accepted, '_handle')
  if (typeof handle !== 'object' || handle === null || !Reflect.set(accepted, '_handle', null)) {
    accepted.on('data', (octets) => {
      if (typeof octets !== 'string') read(octets)
    })
    return accepted
  }
  const options: SocketConstructorOpts & { highWaterMark: number } = {
    allowHalfOpen: true,
    highWaterMark: HIGH_WATER_MARK,
    onread: {
      buffer: readBuffer,
      callback(length) {
        read(readBuffer.subarray(0, length))
        return true
      },
    },
  }
  // Not among the types: there `handle` is a socket that is bound and not yet connected.
  Reflect.set(options, 'handle', handle)
  return new Socket(options)
}
