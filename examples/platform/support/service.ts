import fastify from 'fastify'
import { z } from 'zod'
import { admit, type Verify } from './access.ts'
import { sendCacheHeaders } from './caching.ts'
import { readJson } from './bodies.ts'
import { timestamp } from './fields.ts'
import { verifyToken } from './jwt.ts'
import { watchMethods } from './methods.ts'
import { serveOpenApi } from './openapi.ts'
import { answerProblem, Problem } from './problem.ts'
import { type App, useZod } from './zod.ts'

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

/** What a service says of itself, and how it is sure of a token if it takes more than its signature and its time. */
interface Service {
  readonly title: string
  readonly description: string
  readonly verify?: Verify
}

/** The most bytes of a body that a service reads. */
export const bodyLimit = 64 * 1024
/** Longer than the gateway keeps idle connections, in milliseconds, so that it never sends into one that is closing. */
const keepAliveTimeout = 75_000
const requestTimeout = 60_000

/**
 * Starts an instance of a service:
 *
 * 1. What holds for every request: who calls is known before the body is read, and whatever goes wrong is a problem document.
 * 2. The routes, and /health and /openapi.json beside them.
 * 3. Listen; rejects when the port is taken.
 */
export async function startService(
  service: Service,
  options: InstanceOptions,
  addRoutes: (app: App) => void,
): Promise<RunningInstance> {
  const { instance, port, host = '127.0.0.1', jwtSecret } = options
  const { title, description, verify = (token) => verifyToken(token, jwtSecret) } = service
  // 1.
  const app: App = fastify({
    bodyLimit,
    keepAliveTimeout,
    requestTimeout,
    return503OnClosing: false,
    requestIdHeader: 'x-correlation-id',
    logger: { name: instance, level: 'error', stream: process.stderr },
    frameworkErrors: (error, request, reply) => {
      answerProblem(error, request, reply.header('X-Instance', instance))
    },
  })
  useZod(app)
  readJson(app)
  sendCacheHeaders(app)
  app.setErrorHandler(answerProblem)
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('X-Instance', instance)
    const { is404, url, headers, routeOptions } = request
    if (is404) throw new Problem(404, `There is nothing at ${url}.`)
    request.caller = await admit(routeOptions.config.access ?? 'user', headers, verify)
  })
  let closing = false
  app.addHook('onSend', async (_, reply) => {
    // A connection that is busy while the server closes would otherwise stay open until it times out.
    if (closing) void reply.header('Connection', 'close')
  })
  // 2.
  const refuseOtherMethods = watchMethods(app)
  await serveOpenApi(app, { title, description })
  serveHealth(app)
  addRoutes(app)
  await app.after()
  refuseOtherMethods()
  // 3.
  try {
    const url = await app.listen({ host, port })
    return {
      instance,
      url,
      close() {
        closing = true
        return app.close()
      },
    }
  } catch (error) {
    await app.close()
    throw error
  }
}

const health = z.object({ status: z.literal('healthy'), timestamp, version: z.string() }).meta({ id: 'Health' })

function serveHealth(app: App): void {
  app.get(
    '/health',
    {
      config: { access: 'public' },
      schema: { operationId: 'getHealth', summary: 'Whether the instance can work', response: { 200: health } },
    },
    () => ({ status: 'healthy', timestamp: new Date().toISOString(), version: '1.0.0' }) as const,
  )
}
