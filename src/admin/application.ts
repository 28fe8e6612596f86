import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify from 'fastify'
import { z } from 'zod'
import { fieldOf } from '../core/value.ts'
import { GatewayError } from '../core/errors.ts'
import { FOLLOW_SYSTEM_THEME, PRODUCT_ICON } from '../core/product-icon.ts'
import { version } from '../core/version.ts'
import { redactTarget } from '../telemetry/redact.ts'
import { type AdminApp, describeEndpoint, readBodies, useZod } from './app.ts'
import { certificateEndpoints } from './certificates.ts'
import { changeEndpoints } from './changes.ts'
import { configurationEndpoints } from './configuration.ts'
import { consolePages, isOfConsole } from './console.ts'
import type { AdminContext } from './context.ts'
import { editEndpoints } from './edits/edits.ts'
import { explainEndpoints } from './explain.ts'
import { checkRole, createGuard } from './guard.ts'
import { indexPage } from './index-page.ts'
import { eventEndpoints } from './live/events.ts'
import { callerFields, isSafe } from './login/caller.ts'
import { keyEndpoints } from './keys/endpoints.ts'
import { isOfLogin, loginEndpoints } from './login/login.ts'
import { createLoginTools, hasLogins, type LoginTools } from './login/tools.ts'
import { wayIn } from './login/way-in.ts'
import { policyEndpoints } from './operators.ts'
import { planEndpoints } from './plan.ts'
import { answerProblem } from './problems.ts'
import { replicaEndpoints } from './replicas/replicas.ts'
import { requestEndpoints } from './requests.ts'
import { routeEndpoints } from './routes.ts'
import { serviceEndpoints } from './services.ts'
import { settingEndpoints } from './settings.ts'
import { statusEndpoints } from './status.ts'

const endpoints = [
  statusEndpoints,
  replicaEndpoints,
  routeEndpoints,
  serviceEndpoints,
  certificateEndpoints,
  requestEndpoints,
  eventEndpoints,
  explainEndpoints,
  policyEndpoints,
  keyEndpoints,
  configurationEndpoints,
  planEndpoints,
  editEndpoints,
  changeEndpoints,
  settingEndpoints,
]

/** Limits on what operators may send, in bytes and characters. */
const BODY_SIZE = 16 * 1024
const NAME_LENGTH = 1024

/** The documentation page may load its own files and nothing else. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/** Hides the logo at the top of the page. */
const DOCS_STYLE = '.swagger-ui .topbar { display: none }'

/** What is available without authentication. */
function open(method: string, url: string): boolean {
  return isOfConsole(method, url) || isOfLogin(url)
}

/** Answers the requests that arrive at `server`; `host` is the host it listens on. */
export async function createApplication(server: Server, host: string, context: AdminContext): Promise<AdminApp> {
  const { log } = context
  const login = createLoginTools(context)
  const guard = createGuard({ host, open, login })
  const app: AdminApp = fastify({
    bodyLimit: BODY_SIZE,
    // The server exists already and passes requests on itself.
    serverFactory: () => server,
    routerOptions: { maxParamLength: NAME_LENGTH },
    genReqId: () => randomUUID(),
    frameworkErrors(error, request, reply) {
      let answered: unknown = error
      try {
        guard(request, reply)
      } catch (refusal) {
        answered = refusal
      }
      void answerProblem(answered, request, reply, log)
    },
  })
  useZod(app)
  readBodies(app)
  app.decorateRequest('operator', null)
  app.addHook('onRequest', async (request, reply) => {
    try {
      guard(request, reply)
    } catch (error) {
      const place = isUnauthorized(error) && hasLogins(login) ? wayIn(request) : null
      if (place === null) throw error
      return reply.redirect(place, 303)
    }
    checkRole(request)
    return undefined
  })
  // Logs each change, performed or refused, with the caller; also if the connection is lost before the reply is sent.
  app.addHook('onSend', async ({ operator: caller, method, url, routeOptions }, { statusCode: status }) => {
    if (caller === null || isSafe(method) || routeOptions.config.readsOnly === true) return
    log.warn(
      { ...callerFields(caller), role: caller.role, method, path: redactTarget(url), status },
      'An operator has asked for a change',
    )
  })
  app.setErrorHandler((error, request, reply) => answerProblem(error, request, reply, log))
  app.setNotFoundHandler(({ method, url }) => {
    throw new GatewayError('not-found', `There is no ${method} ${url.split('?', 1)[0]}; GET / lists what there is.`)
  })
  await app.register(swagger, { openapi, transform: describeEndpoint })
  indexPage(app)
  consolePages(app)
  loginEndpoints(app, context, login)
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
    () => withSecurity(app.swagger(), proofsOf(login)),
  )
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: DOCS_POLICY,
    theme: {
      title: 'Sallyport admin API',
      favicon: [{ filename: 'icon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: PRODUCT_ICON }],
      css: [{ filename: 'page.css', content: DOCS_STYLE }],
      js: [{ filename: 'page.js', content: FOLLOW_SYSTEM_THEME }],
    },
    transformSpecification: (document) => withSecurity(document, proofsOf(login)),
    transformSpecificationClone: false,
  })
  await app.ready()
  return app
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'unauthorized'
}

const openapi = {
  openapi: '3.1.0',
  info: {
    title: 'Sallyport admin API',
    version,
    description:
      'Inspect and operate a gateway. Requests that change something need Content-Type: ' +
      'application/json, or X-Requested-With with any value. x-role is the minimum role for an operation.',
  },
}

/** The credentials that requests may carry, as OpenAPI security schemes. */
function proofsOf(login: LoginTools): Record<string, object> {
  return {
    ...(login.token.isSet && { token: { type: 'http', scheme: 'bearer' } }),
    ...(hasLogins(login) && {
      session: {
        type: 'apiKey',
        in: 'cookie',
        name: '__Host-sallyport_admin',
        description: 'sallyport_admin over plain http.',
      },
    }),
  }
}

/** The document with the security requirements of requests that need credentials. */
function withSecurity(document: object, securitySchemes: Record<string, object>): Record<string, unknown> {
  const names = Object.keys(securitySchemes)
  if (names.length === 0) return { ...document }
  const components = fieldOf(document, 'components') ?? {}
  return {
    ...document,
    components: { ...components, securitySchemes },
    security: names.map((name) => ({ [name]: [] })),
  }
}
