import { randomUUID } from 'node:crypto'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify from 'fastify'
import { z } from 'zod'
import type { GatewayConfig } from '../config/schema.ts'
import { type Address, formatAddress } from '../core/address.ts'
import { GatewayError } from '../core/errors.ts'
import { version } from '../front/version.ts'
import { type AdminApp, describeEndpoint, readBodies, useZod } from './app.ts'
import { cacheEndpoints } from './cache.ts'
import type { AdminContext } from './context.ts'
import { createGuard } from './guard.ts'
import { indexPage } from './index-page.ts'
import { limitEndpoints } from './limits.ts'
import { answerProblem } from './problems.ts'
import { requestEndpoints } from './requests.ts'
import { routeEndpoints } from './routes.ts'
import { serviceEndpoints } from './services.ts'
import { settingEndpoints } from './settings.ts'
import { statusEndpoints } from './status.ts'

const endpoints = [
  statusEndpoints,
  routeEndpoints,
  serviceEndpoints,
  requestEndpoints,
  limitEndpoints,
  cacheEndpoints,
  settingEndpoints,
]

/** Bounds of what operators may send: octets, connections and milliseconds. */
const BODY_SIZE = 16 * 1024
const HEAD_SIZE = 16 * 1024
const NAME_LENGTH = 1024
const CONNECTIONS = 64
const REQUEST_TIMEOUT = 10_000
const IDLE_TIMEOUT = 10_000
const SOCKET_TIMEOUT = 60_000
/** How long a request that is being answered may hold up the end, in milliseconds. */
const CLOSE_GRACE = 1000

/** What the documentation page may load: its own files and nothing else. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

type AdminOptions = Exclude<GatewayConfig['admin'], false>

/** The listener for operators. */
export interface Admin {
  /** Where it listens. */
  readonly address: Address
  /** Resolves when it is closed; requests that are being answered have a second to end. */
  close(): Promise<void>
}

/** Starts the listener for operators. Rejects with an Error that says what to do where the address is not to be had. */
export async function startAdmin({ address, token }: AdminOptions, context: AdminContext): Promise<Admin> {
  const app = await createApp(token, address.host, context)
  try {
    await app.listen({ host: address.host, port: address.port })
  } catch (error) {
    await app.close()
    const advice = 'free it, or set admin.address to another or admin to false'
    throw new Error(`cannot listen on the admin address ${formatAddress(address)}: ${advice}`, { cause: error })
  }
  const bound = app.addresses().find((each) => typeof each === 'object')
  return {
    address: { host: address.host, port: bound?.port ?? address.port },
    async close() {
      const cancel = context.clock.after(CLOSE_GRACE, () => app.server.closeAllConnections())
      await app.close()
      cancel()
    },
  }
}

async function createApp(token: string | null, host: string, context: AdminContext): Promise<AdminApp> {
  const guard = createGuard({ token, host })
  const app: AdminApp = fastify({
    bodyLimit: BODY_SIZE,
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: IDLE_TIMEOUT,
    connectionTimeout: SOCKET_TIMEOUT,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: HEAD_SIZE },
    routerOptions: { maxParamLength: NAME_LENGTH },
    genReqId: () => randomUUID(),
    frameworkErrors(error, request, reply) {
      let answered: unknown = error
      try {
        guard(request, reply)
      } catch (refusal) {
        answered = refusal
      }
      void answerProblem(answered, request, reply, context.log)
    },
  })
  app.server.maxConnections = CONNECTIONS
  useZod(app)
  readBodies(app)
  app.addHook('onRequest', async (request, reply) => guard(request, reply))
  app.setErrorHandler((error, request, reply) => answerProblem(error, request, reply, context.log))
  app.setNotFoundHandler(({ method, url }) => {
    throw new GatewayError('not-found', `There is no ${method} ${url.split('?', 1)[0]}; GET / says what there is.`)
  })
  await app.register(swagger, { openapi: openapiFor(token !== null), transform: describeEndpoint })
  indexPage(app)
  for (const register of endpoints) register(app, context)
  app.get(
    '/openapi.json',
    {
      schema: {
        summary: 'This API as an OpenAPI document',
        tags: ['gateway'],
        response: { 200: z.record(z.string(), z.unknown()) },
      },
    },
    () => ({ ...app.swagger() }),
  )
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_POLICY })
  return app
}

function openapiFor(secured: boolean) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sallyport admin API',
      version,
      description:
        'What operators ask of a gateway, and do to it. Requests that change something carry Content-Type: ' +
        'application/json, or X-Requested-With with any value.',
    },
    ...(secured && {
      components: { securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } } },
      security: [{ token: [] }],
    }),
  }
}
