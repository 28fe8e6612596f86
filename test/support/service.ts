import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { cleanUp } from './cleanup.ts'
import { holdPort } from './held-port.ts'

/** A request that a service received. */
export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
}

/** A service on node:http. */
export interface TestService {
  readonly port: number
  readonly url: string
  /** "127.0.0.1:port". */
  readonly address: string
  /** Requests so far, except health checks. */
  readonly received: readonly ReceivedRequest[]
  /** Number of connections so far. */
  readonly connections: number
  /** Stops listening and resets every connection; until the end of the test its port refuses connections. */
  readonly kill: () => Promise<void>
}

export interface ServiceOptions {
  readonly port?: number
  /** The status of GET /health; 200 by default. */
  readonly health?: () => number
  /** How long an idle connection is kept, in milliseconds. */
  readonly keepAlive?: number
}

/** Runs until the end of the test; answers 200 with its own port unless `listener` says otherwise. */
export async function startService(
  t: TestContext,
  listener: RequestListener = (_, response) => void response.end(String(response.socket?.localPort)),
  { port: fixed = 0, health = () => 200, keepAlive = 60_000 }: ServiceOptions = {},
): Promise<TestService> {
  const received: ReceivedRequest[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url = '', headers, rawHeaders } = request
    if (url === '/health') return void response.writeHead(health()).end()
    received.push({ method, url, headers, rawHeaders })
    listener(request, response)
  }
  const server = createServer({ keepAliveTimeout: keepAlive, maxHeaderSize: 65_536 }, answer)
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(fixed, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const stop = (): Promise<void> => {
    for (const socket of sockets) {
      // A reset in the middle of an orderly close would keep the event loop spinning (seen on Node 26.10).
      if (socket.writableEnded) socket.destroy()
      else socket.resetAndDestroy()
    }
    return new Promise((resolve) => server.close(() => resolve()))
  }
  const kill = (): Promise<void> => holdPort(t, port, stop)
  cleanUp(t, stop)
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    address: `127.0.0.1:${port}`,
    received,
    get connections() {
      return connections
    },
    kill,
  }
}
