import { connect, type LookupFunction, type Socket } from 'node:net'
import type { OutgoingEncryption } from './outgoing.ts'

/** Where to connect to. */
export interface SecurePlace {
  readonly host: string
  readonly port: number
  readonly lookup?: LookupFunction
  /** What is said before TLS begins. */
  readonly introduction?: ((socket: Socket) => Buffer) | null
}

/**
 * Makes one connection with TLS. `done` is told once: of the error that kept it from standing, or the socket. The returned
 * function gives up before that, and nothing is told any more.
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
