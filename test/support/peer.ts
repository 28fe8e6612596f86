import { once } from 'node:events'
import { connect as connectSocket, createServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { cleanUp } from './cleanup.ts'
import { holdPort } from './held-port.ts'
import { type Message, readMessage, type Source } from './message.ts'
import { TIMEOUT } from './timeout.ts'
import { openSocket } from './scheme.ts'

/** How a connection ended: the other side sent FIN, or reset it. */
export type Ending = 'end' | 'reset'

/** One end of a TCP connection, controlled by a test. */
export class Peer implements Source {
  readonly socket: Socket
  private chunks: Buffer[] = []
  private length = 0
  private ending: Ending | null = null
  private readonly waiting = new Set<() => void>()

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk)
      this.length += chunk.length
      this.wake()
    })
    socket.on('end', () => this.finish('end'))
    socket.on('error', () => this.finish('reset'))
    socket.on('close', () => this.finish('reset'))
  }

  write(data: string | Buffer): void {
    this.socket.write(data, 'latin1')
  }

  /** Writes piece by piece, so that a reader in this process receives each piece separately. */
  async writeInPieces(pieces: readonly (string | Buffer)[]): Promise<void> {
    for (const piece of pieces) {
      await new Promise((resolve) => this.socket.write(piece, 'latin1', resolve))
      // The process reads its sockets between two turns of the event loop.
      await new Promise(setImmediate)
      await new Promise(setImmediate)
    }
  }

  /** Sends FIN. */
  end(): void {
    this.socket.end()
  }

  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** Received bytes that have not been read. */
  get received(): Buffer {
    return Buffer.concat(this.chunks)
  }

  take(length: number): Promise<Buffer> {
    return this.when(`${length} bytes`, () => (this.length < length ? undefined : this.consume(length)))
  }

  until(text: string): Promise<string> {
    return this.when(JSON.stringify(text), () => {
      const at = this.join().indexOf(text, 0, 'latin1')
      return at === -1 ? undefined : this.consume(at + text.length).toString('latin1')
    })
  }

  async rest(): Promise<Buffer> {
    await this.closed()
    return this.consume(this.length)
  }

  /** Waits for the end of the connection, and returns how it ended. */
  closed(): Promise<Ending> {
    return this.when('the end', () => this.ending ?? undefined)
  }

  /** Reads a request. */
  request(): Promise<Message> {
    return readMessage(this, 'request')
  }

  /** Reads a reply to a request with that method. */
  reply(method = 'GET'): Promise<Message> {
    return readMessage(this, method === 'HEAD' ? 'bodyless' : 'reply')
  }

  private join(): Buffer {
    const [only] = this.chunks
    if (this.chunks.length === 1 && only !== undefined) return only
    const all = Buffer.concat(this.chunks)
    this.chunks = [all]
    return all
  }

  private consume(length: number): Buffer {
    const all = this.join()
    this.chunks = [all.subarray(length)]
    this.length -= length
    return all.subarray(0, length)
  }

  private finish(ending: Ending): void {
    this.ending ??= ending
    this.wake()
  }

  private wake(): void {
    for (const check of this.waiting) check()
  }

  private when<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer)
        this.waiting.delete(check)
      }
      const fail = (why: string): void => {
        stop()
        reject(
          new Error(`waited for ${what}, ${why}: ${JSON.stringify(this.join().toString('latin1').slice(0, 2000))}`),
        )
      }
      const check = (): void => {
        const found = find()
        if (found !== undefined) {
          stop()
          resolve(found)
        } else if (this.ending !== null) fail(`but the connection ended with ${this.ending}`)
      }
      const timer = setTimeout(() => fail('which did not arrive'), TIMEOUT)
      this.waiting.add(check)
      check()
    })
  }
}

/** Connects to a local port, from a local address, until the end of the test. */
export async function connect(t: TestContext, port: number, localAddress = '127.0.0.1'): Promise<Peer> {
  const socket = await openSocket(port, localAddress)
  cleanUp(t, () => socket.destroy())
  return new Peer(socket)
}

/** Waits until nothing listens on the port: a listener that is closing may still accept or reset. */
export async function refused(port: number, host = '127.0.0.1'): Promise<void> {
  const deadline = Date.now() + TIMEOUT
  for (;;) {
    const socket = connectSocket({ port, host })
    const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      socket.on('error', resolve)
      socket.on('connect', () => resolve(null))
    })
    socket.destroy()
    if (error?.code === 'ECONNREFUSED') return
    if (Date.now() > deadline) throw new Error(`port ${port} still accepts connections`)
  }
}

/** A service whose replies the test writes. */
export interface RawService {
  readonly port: number
  readonly url: string
  /** Number of connections so far. */
  readonly connections: number
  /** The next connection that has not been taken yet. */
  readonly accept: () => Promise<Peer>
  /** Stops listening and resets every connection; until the end of the test its port refuses connections. */
  readonly kill: () => Promise<void>
}

/** Listens until the end of the test; `serve`, if given, receives every connection, otherwise `accept` does. */
export async function startRawService(
  t: TestContext,
  serve?: (peer: Peer, number: number) => Promise<void> | void,
): Promise<RawService> {
  const accepted: Peer[] = []
  const takers: ((peer: Peer) => void)[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    const peer = new Peer(socket)
    connections++
    if (serve !== undefined) {
      // The gateway may disconnect at any time: only what the test itself observes counts.
      Promise.resolve(serve(peer, connections)).catch(() => socket.destroy())
      return
    }
    const take = takers.shift()
    if (take === undefined) accepted.push(peer)
    else take(peer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const stop = (): Promise<void> => {
    for (const socket of sockets) socket.resetAndDestroy()
    return new Promise((resolve) => void server.close(() => resolve()))
  }
  const kill = (): Promise<void> => holdPort(t, port, stop)
  cleanUp(t, stop)
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get connections() {
      return connections
    },
    accept: () => {
      const peer = accepted.shift()
      return peer === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(peer)
    },
    kill,
  }
}
