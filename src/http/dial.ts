import { Buffer } from 'node:buffer'
import { connect, type LookupFunction, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { GatewayError } from '../core/errors.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import type { Encryption } from './encryption.ts'
import { ConnectFailed, HandshakeFailed } from './lane-errors.ts'
import { readSecured } from './lent-reads.ts'
import { letGoOnClose } from './let-go.ts'
import type { Place } from './pool-options.ts'
import { type Reader, sharedBuffer } from './read-buffers.ts'

export interface DialOptions extends Place {
  readonly client: string
  readonly lookup: LookupFunction
  readonly deadlines: Deadlines
  /** Limit for establishing the connection, including TLS, in milliseconds. */
  readonly connectTimeout: number
}

/** Waits for a connection; exactly one of the two methods is called, once. */
export interface Dialling {
  /** The connection is established: returns what reads from it. */
  connected(socket: Socket): Reader
  /** Fails with ConnectFailed or HandshakeFailed. */
  failed(error: GatewayError): void
}

/**
 * Opens one connection to an instance. Returns a function that aborts it before it is established, without any
 * callback.
 */
export function dial(options: DialOptions, dialling: Dialling): () => void {
  const { host, port, client, lookup, deadlines, connectTimeout, encryption, introduction } = options
  let reader: Reader | null = null
  const onread = {
    buffer: () => reader?.readBuffer ?? sharedBuffer,
    callback: (length: number, bytes: Uint8Array) => {
      if (Buffer.isBuffer(bytes)) reader?.read(bytes, length)
      return true
    },
  }
  let socket: Socket = connect({
    host,
    port,
    lookup,
    autoSelectFamily: true,
    noDelay: true,
    allowHalfOpen: true,
    ...(encryption === null && { onread }),
  })
  const timed: Timed = {
    deadline: deadlines.in(connectTimeout),
    watchIndex: -1,
    onDeadline: () => failed(new Error(`no ${secure ? 'secure connection' : 'answer'} within ${connectTimeout} ms`)),
  }
  /** The TCP connection is established, and its TLS handshake is under way. */
  let secure = false
  let settled = false
  const settle = (): void => {
    settled = true
    deadlines.forget(timed)
    if (!secure) socket.removeAllListeners()
  }
  const giveUp = (): void => {
    if (settled) return
    settle()
    socket.on('error', ignore)
    socket.destroy()
  }
  const failed = (cause: Error): void => {
    if (settled) return
    giveUp()
    const address = `${host}:${port}`
    dialling.failed(secure ? new HandshakeFailed(address, cause) : new ConnectFailed(address, cause))
  }
  const connected = (): void => {
    settle()
    const made = dialling.connected(socket)
    reader = made
    if (socket instanceof TLSSocket) readSecured(socket, made)
    else letGoOnClose(socket)
  }
  const encrypt = (tls: Encryption): void => {
    socket.removeAllListeners()
    socket.on('error', ignore)
    secure = true
    socket = tls.begin(socket, (error) => {
      if (error === null) connected()
      else failed(error)
    })
  }
  deadlines.watch(timed)
  socket.on('error', failed)
  socket.on('connect', () => {
    if (introduction !== null) socket.write(introduction(client, socket))
    if (encryption === null) connected()
    else encrypt(encryption)
  })
  return giveUp
}

function ignore(): void {}
