import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBody } from './body.ts'
import { endpoint } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { timestamp } from './fields.ts'
import { createIdentify } from './identity.ts'
import type { Identify } from './identity.ts'
import { verifyToken } from './jwt.ts'
import { openApiDocument } from './openapi.ts'
import { send, sendProblem, toProblem } from './reply.ts'
import { createRouter } from './router.ts'
import { anyObject, object, text } from './schema.ts'
import type { JsonObject } from './schema.ts'

/** Where an instance listens, and what it is called. */
export interface InstanceOptions {
  /** The name that X-Instance carries. */
  readonly instance: string
  /** 0 takes a free port. */
  readonly port: number
  /** The address to listen on; 127.0.0.1 when it is missing. */
  readonly host?: string
  /** Signs the user service's tokens (HS256); the other services verify with it. */
  readonly jwtSecret: string
}

/** An instance that listens. */
export interface RunningInstance {
  readonly instance: string
  readonly url: string
  /** Stops accepting and resolves when the requests in flight have their replies. */
  close(): Promise<void>
}

interface ServiceDefinition {
  readonly title: string
  readonly description: string
  readonly endpoints: readonly Endpoint[]
  /** Who calls, when it takes more than to verify the token. */
  readonly identify?: Identify
}

/** Longer than the gateway keeps idle connections, so that it never sends into one that is closing. */
const keepAliveTimeout = 75_000

/** Starts an instance of a service with /health and /openapi.json beside its endpoints; rejects when the port is taken. */
export async function listen(definition: ServiceDefinition, options: InstanceOptions): Promise<RunningInstance> {
  const endpoints = [...definition.endpoints, health(), openApi(() => document)]
  const document = openApiDocument(definition.title, definition.description, endpoints)
  const route = createRouter(endpoints)
  const identify =
    definition.identify ?? createIdentify((token) => verifyToken(token, options.jwtSecret, Date.now() / 1000))

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
    const { endpoint: found, parameters } = route(request.method ?? 'GET', path)
    const result = await found.run({
      identify: () => identify(request.headers),
      parameters,
      query: new URLSearchParams(query),
      headers: request.headers,
      readBody: (form) => readBody(request, form),
    })
    endWhenClosing(response)
    send(request, response, found.docs, result)
  }
  /** A connection that was busy when the server closed would otherwise keep it open until it times out. */
  const endWhenClosing = (response: ServerResponse): void => {
    if (!server.listening) response.setHeader('Connection', 'close')
  }

  const server = createServer({ keepAliveTimeout }, (request, response) => {
    response.setHeader('X-Instance', options.instance)
    answer(request, response).catch((error: unknown) => {
      if (response.destroyed) return
      endWhenClosing(response)
      sendProblem(request, response, toProblem(error, options.instance))
    })
  })
  const host = options.host ?? '127.0.0.1'
  server.listen({ host, port: options.port })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  return {
    instance: options.instance,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    async close() {
      server.close()
      await once(server, 'close')
    },
  }
}

const healthReply = object('Health', {
  status: text('healthy'),
  timestamp,
  version: text('1.0.0'),
})

function openApi(document: () => JsonObject): Endpoint {
  return endpoint(
    {
      id: 'getOpenApi',
      method: 'GET',
      path: '/openapi.json',
      summary: 'This document',
      access: 'public',
      status: [200],
      reply: anyObject(),
      cache: 'public, max-age=60',
    },
    () => ({ status: 200, body: document() }),
  )
}

function health(): Endpoint {
  return endpoint(
    {
      id: 'getHealth',
      method: 'GET',
      path: '/health',
      summary: 'Whether the instance can work',
      access: 'public',
      status: [200],
      reply: healthReply,
    },
    () => ({ status: 200, body: { status: 'healthy', timestamp: new Date().toISOString(), version: '1.0.0' } }),
  )
}
