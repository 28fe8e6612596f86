import { createServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { GatewayConfig } from '../config/schema.ts'
import { type Address, formatAddress } from '../core/address.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'

/** Limits on what operators may send: bytes, connections and milliseconds. */
const HEAD_SIZE = 16 * 1024
const CONNECTIONS = 64
const REQUEST_TIMEOUT = 10_000
const IDLE_TIMEOUT = 10_000
const SOCKET_TIMEOUT = 60_000
/** How long a request in progress may delay closing, in milliseconds. */
const CLOSE_GRACE = 1000

type AdminOptions = Exclude<GatewayConfig['admin'], false>

/** The admin listener. */
export interface Admin {
  /** Where it listens. */
  readonly address: Address
  /** Resolves when it is closed; requests in progress have a second to finish. */
  close(): Promise<void>
}

/**
 * Starts the admin listener. The application takes 10 MB and is loaded with the first request. If the address is not available, rejects
 * with an Error that says what to do.
 */
export async function startAdmin({ address }: AdminOptions, context: AdminContext): Promise<Admin> {
  const { host, port } = address
  let application: Promise<AdminApp> | null = null
  const server = createServer({
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: IDLE_TIMEOUT,
    maxHeaderSize: HEAD_SIZE,
  })
  server.setTimeout(SOCKET_TIMEOUT)
  server.maxConnections = CONNECTIONS
  server.on('request', (request, response) => {
    application ??= load()
    application.then(
      (app) => app.routing(request, response),
      (error: unknown) => fail(error, response),
    )
  })

  async function load(): Promise<AdminApp> {
    const { createApplication } = await import('./application.ts')
    return createApplication(server, host, context)
  }

  function fail(error: unknown, response: ServerResponse): void {
    application = null
    context.log.error({ error }, 'The admin API could not be loaded; the next request tries again')
    response.writeHead(500, { 'Content-Type': 'application/problem+json', Connection: 'close' })
    response.end(JSON.stringify({ type: 'about:blank', title: 'Internal Server Error', status: 500 }))
  }

  try {
    server.listen({ host, port })
    await once(server, 'listening')
  } catch (error) {
    const advice = 'free it, or set admin.address to another or admin to false'
    throw new Error(`cannot listen on the admin address ${formatAddress(address)}: ${advice}`, { cause: error })
  }
  const bound = server.address()
  return {
    address: { host, port: typeof bound === 'object' && bound !== null ? bound.port : port },
    async close() {
      const cancel = context.clock.after(CLOSE_GRACE, () => server.closeAllConnections())
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      // Ends the event streams.
      await application?.then(
        (app) => app.close(),
        () => {},
      )
      await closed
      cancel()
    },
  }
}
