import { connect, type LookupFunction, type Socket } from 'node:net'
import type { OutgoingEncryption } from './outgoing.ts'

/** Where to connect. */
export interface SecurePlace {
  readonly host: string
  readonly port: number
  readonly lookup?: LookupFunction
  /** Data to send before TLS starts. */
  readonly introduction?: ((socket: Socket) => Buffer) | null
}

/**
 * Establishes a TLS connection. `done` is called at most once, with the error or the socket. The returned function aborts, after which
 * `done` is not called any more.
 */
export function connectSecurely(
  { introduction = null, ...place }: SecurePlace,
  encryption: OutgoingEncryption,
  done: (error: Error | null, socket: Socket) => void,
): () => void {
  let socket: Socket = connect({ ...place, autoSelectFamily: true, noDelay: true })
  let over = false
  const finish = (error: Error | null): void => {
    if (over) return
    over = true
    if (error !== null) giveUp()
    done(error, socket)
  }
  const giveUp = (): void => {
    over = true
    socket.on('error', ignore)
    socket.destroy()
  }
  socket.on('error', finish)
  socket.on('connect', () => {
    socket.on('error', ignore)
    if (introduction !== null) socket.write(introduction(socket))
    socket = encryption.begin(socket, finish)
  })
  return giveUp
}

function ignore(): void {}
