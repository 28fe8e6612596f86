import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { Authority } from './certificates.ts'
import { cleanUp } from './cleanup.ts'
import { readMessage } from './message.ts'
import { Peer } from './peer.ts'

/** A TLS service, and the results of its handshakes. */
export interface TlsService {
  readonly port: number
  /** With the host name localhost. */
  readonly url: string
  /** "localhost:port". */
  readonly address: string
  /** Connections whose handshake was completed, in order. */
  readonly sockets: readonly TLSSocket[]
  /** Whether each of them resumed a session. */
  readonly resumed: readonly boolean[]
  readonly protocols: readonly (string | null)[]
  /** Heads of the requests so far. */
  readonly requests: readonly string[]
}

/** A CA that tests trust, which signs for localhost, 127.0.0.1 and ::1. */
export const authority = new Authority()
/** A server certificate signed by it. */
export const leaf = authority.issue()

export interface TlsServiceOptions extends TlsOptions {
  /** Replies to each request: "HTTP/1.1 200 OK" with an empty body by default. */
  readonly answer?: (request: string, socket: TLSSocket) => void
}

/** Runs until the end of the test; its certificate is signed by `authority` unless the options have another one. */
export async function startTlsService(t: TestContext, options: TlsServiceOptions = {}): Promise<TlsService> {
  const { answer = answerEmpty, ...rest } = options
  const sockets: TLSSocket[] = []
  const resumed: boolean[] = []
  const protocols: (string | null)[] = []
  const requests: string[] = []
  const all = new Set<Socket>()
  const server = createServer({ ALPNProtocols: ['http/1.1'], ...leaf, ...rest }, (socket) => {
    sockets.push(socket)
    resumed.push(socket.isSessionReused())
    protocols.push(socket.getProtocol())
    void serve(socket)
  })
  const serve = async (socket: TLSSocket): Promise<void> => {
    const peer = new Peer(socket)
    try {
      for (;;) {
        const { start, fields } = await readMessage(peer, 'request')
        requests.push([start, ...fields.lines].join('\n'))
        answer(requests.at(-1)!, socket)
      }
    } catch {
      // The gateway may disconnect at any time.
      return
    }
  }
  server.on('connection', (socket: Socket) => {
    all.add(socket)
    socket.on('close', () => all.delete(socket))
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => {
    for (const socket of all) socket.destroy()
    return new Promise<void>((resolve) => void server.close(() => resolve()))
  })
  const { port } = server.address() as AddressInfo
  return { port, url: `https://localhost:${port}`, address: `localhost:${port}`, sockets, resumed, protocols, requests }
}

function answerEmpty(_: string, socket: TLSSocket): void {
  socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
}
