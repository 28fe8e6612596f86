import { z } from 'zod'
import { duration, durationOrZero, size, sizeWithin } from '../core/units.ts'
import { overloadSchema } from '../overload/index.ts'
import { mayBeClaim } from '../http/field-names.ts'
import { networks } from '../core/networks-schema.ts'
import { fieldName } from '../policies/field-name.ts'
import { isSecret } from '../telemetry/redact.ts'
import { MOST_SERVICES } from '../services/concurrency/index.ts'
import { adminSchema } from './admin-schema.ts'
import { endpointsSchema } from './endpoints-schema.ts'
import { listenersSchema } from './listener-schema.ts'
import { policyFileSchema } from './policy-file-schema.ts'
import { policiesSchema } from './policy-schema.ts'
import { reloadSchema } from './reload-schema.ts'
import { pathParameters, routeSchema } from './route-schema.ts'
import { secretsSchema } from './secrets-schema.ts'
import { serviceSchema } from './service-schema.ts'
import { storesSchema } from './stores-schema.ts'

const nameExpected = 'expected a name of letters, digits, ".", "_" and "-" that starts with a letter or digit'

const proxyFieldExpected = 'expected the name of a header, or the beginning of one with "*", such as X-Auth-Request-*'

const proxyField = z.string(proxyFieldExpected).regex(/^[A-Za-z0-9-]+\*?$/, proxyFieldExpected)

const clientHeaderExpected =
  'expected the name of a header that holds the address of a client, such as CF-Connecting-IP, and means nothing else to the gateway'

/** Fields that a line of the access log may have at most. */
const MOST_LOGGED = 16

const loggedField = fieldName.refine((name) => !isSecret(name) && !/cookie|csrf|xsrf/i.test(name), {
  error: (issue) => `${JSON.stringify(issue.input)} holds secrets, which no log may have; expected another field`,
})

const accessSchema = z.strictObject({
  sample: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('Part of the requests that is logged, from 0 to 1; errors and slow ones always are. Default 1.'),
  slow: duration
    .optional()
    .describe('Requests that take this long are of level warn, and always logged. Default none.'),
  timings: z
    .boolean()
    .default(false)
    .describe('Whether lines say where the time went: in the service, the gateway, and each policy. Default false.'),
  headers: loggedField
    .array()
    .max(MOST_LOGGED)
    .default([])
    .describe(
      'Names of request fields whose values stand in the line, such as X-Version; none with secrets. Default none.',
    ),
  replay: z
    .boolean()
    .default(false)
    .describe(
      'Whether lines have what `sallyport replay` may need besides: tier and number of roles of the caller, and the listener. Default false.',
    ),
})

const logSchema = z.strictObject({
  level: z
    .preprocess(
      (level: LogLevel | Uppercase<LogLevel>) => (typeof level === 'string' ? level.toLowerCase() : level),
      z.enum(['debug', 'info', 'warn', 'error']),
    )
    .meta({ enum: ['debug', 'info', 'warn', 'error', 'DEBUG', 'INFO', 'WARN', 'ERROR'] })
    .prefault('info')
    .describe('What is logged: debug, info, warn or error, in either case. Default info.'),
  format: z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('json, pretty, or auto: pretty on a terminal and json elsewhere. Default auto.'),
  file: z
    .string()
    .min(1)
    .optional()
    .describe('File that lines are appended to; SIGUSR2 opens it anew. Default the standard output.'),
  access: z
    .union([z.boolean(), accessSchema])
    .prefault(true)
    .transform((access) => (access === true ? accessSchema.parse({}) : access))
    .describe(
      'Whether each request is logged, or { sample, slow, timings, headers, replay } to say which, and how. Default true.',
    ),
})

const perClientSchema = z.strictObject({
  connections: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Connections of one address at a time, of each listener; proxies that are trusted have any. Default no bound.',
    ),
  requests: z
    .int()
    .min(1)
    .optional()
    .describe('Requests of one client in flight at a time; further ones are 429. Default no bound.'),
})

/** What the head of a request has to have room for, in octets: with less, no request of a browser would get through. */
const LEAST_HEAD = 1024
const LEAST_TARGET = 64
const leastHead = 'expected at least "1kb": a request has no room in less'
const leastTarget = 'expected at least "64b": a request has no room in less'

const limitsSchema = z.strictObject({
  head: sizeWithin(LEAST_HEAD, Number.MAX_SAFE_INTEGER, leastHead)
    .prefault('16kb')
    .describe('Size of a request head: request line and header fields. Default 16kb.'),
  target: sizeWithin(LEAST_TARGET, Number.MAX_SAFE_INTEGER, leastTarget)
    .prefault('8kb')
    .describe('Size of a request target: path and query. Default 8kb.'),
  headers: z.int().min(1).default(100).describe('Number of header fields of a request. Default 100.'),
  body: size.prefault('10mb').describe('Size of a request body. Default 10mb.'),
  handshakeTimeout: duration
    .prefault('10s')
    .describe('From the beginning of a connection to the end of its TLS handshake. Default 10s.'),
  headTimeout: duration.prefault('10s').describe('Until a request head is complete. Default 10s.'),
  bodyTimeout: duration.prefault('30s').describe('Without progress in a request body. Default 30s.'),
  idleTimeout: duration.prefault('60s').describe('Between two requests on one connection. Default 60s.'),
  writeTimeout: duration.prefault('60s').describe('While a client reads nothing of its reply. Default 60s.'),
  leastRate: z
    .int()
    .min(0)
    .default(240)
    .describe(
      'Octets a second that a client must send of a body, or take of a reply, on the average of the time that the gateway waits for it, after 5s; 0 for no such bound. Default 240.',
    ),
  connections: z.int().min(1).default(10_000).describe('Client connections at a time. Default 10000.'),
  handshakes: z
    .int()
    .min(1)
    .default(1000)
    .describe(
      'TLS handshakes at a time, for each listener and worker; the oldest makes way for a further one. Default 1000.',
    ),
  perClient: perClientSchema.prefault({}).describe('What one client may have at a time, for each worker.'),
})

const docsSchema = z.strictObject({
  title: z.string().min(1).default('API').describe('Title of the API. Default API.'),
  version: z.string().min(1).default('1.0.0').describe('Version of the API, not of the gateway. Default 1.0.0.'),
  description: z.string().default('').describe('What the API is for, in Markdown. Default empty.'),
  refresh: duration.prefault('1m').describe("How often the services' own documents are asked for. Default 1m."),
})

const servicesSchema = z
  .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, nameExpected), serviceSchema)
  .refine((services) => Object.keys(services).length <= MOST_SERVICES, `expected at most ${MOST_SERVICES} services`)

/** Schema of the whole configuration: what is written comes in, what the gateway works with comes out. */
export const gatewaySchema = z
  .strictObject({
    listeners: listenersSchema
      .prefault([{ address: '0.0.0.0:8000' }])
      .describe('Addresses on which requests are accepted. Default 0.0.0.0:8000.'),
    endpoints: endpointsSchema
      .prefault({})
      .describe('What the gateway answers itself beside the routes, and where. Default all, at their default paths.'),
    admin: adminSchema.prefault({}).describe('The address for operators; false switches it off.'),
    workers: z
      .union([z.int().min(1).max(1024), z.literal('auto')])
      .default('auto')
      .describe(
        'Worker threads: a number, or auto for one a core, and for no more whole cores than the CPU limit of the container. Default auto.',
      ),
    workerTimeout: durationOrZero
      .prefault('10s')
      .describe(
        'After how long a worker that does not come to its events, as in a loop without end, is replaced; 0s for never. Default 10s.',
      ),
    memoryLimit: size
      .optional()
      .describe(
        'Memory that the process may take, which bounds the heaps of its workers. Default that of the container, else none.',
      ),
    trustedProxies: networks
      .default([])
      .describe(
        'Addresses and networks of proxies whose forwarding fields are believed, or { file } for a file of them, which is ' +
          'read again whenever it changes. Default none.',
      ),
    forwarding: z
      .enum(['x-forwarded', 'forwarded'])
      .default('x-forwarded')
      .describe(
        'Which fields trusted proxies write: x-forwarded for X-Forwarded-For, -Proto and -Host, forwarded for Forwarded ' +
          '(RFC 7239). Those of the other family are dropped, as clients may have sent them. Default x-forwarded.',
      ),
    clientHeader: z
      .string(clientHeaderExpected)
      .refine((name) => /^[A-Za-z0-9-]+$/.test(name) && mayBeClaim(name), clientHeaderExpected)
      .nullable()
      .default(null)
      .describe(
        'Field in which trusted proxies say who the client is, such as CF-Connecting-IP, believed where it is one address; ' +
          'the proxies must overwrite it in every request. From anybody else it is dropped. Default none.',
      ),
    proxyFields: proxyField
      .array()
      .default([])
      .describe(
        'Fields by which trusted proxies may tell services who calls, such as X-Auth-Request-User or X-Auth-Request-*; ' +
          'from anybody else they are dropped. Default none.',
      ),
    requestFields: z
      .enum(['pass', 'strict'])
      .default('pass')
      .describe(
        'Request fields whose names have other characters than letters, digits and hyphens: pass, or strict to drop ' +
          'them all. Those that services may take for one that the gateway sets or reads are dropped anyway. Default pass.',
      ),
    pathParameters: pathParameters
      .default('keep')
      .describe(
        'What becomes of path parameters, as in /a;x=1/b: refuse, strip or keep. They are refused in any case where the ' +
          'path without them leads to another route. Default keep.',
      ),
    zone: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The zone that this gateway is in: instances with the same zone get its requests first. Default SALLYPORT_ZONE of the environment, else none.',
      ),
    log: logSchema.prefault({}).describe('Logging.'),
    limits: limitsSchema.prefault({}).describe('What a client may ask for, and how slowly.'),
    overload: overloadSchema
      .prefault({})
      .describe(
        'When a worker has so much to do that its events come late, it sheds requests, those of routes of low priority first and those of high priority never; false for never. Default { delay: 50ms, for: 1s }.',
      ),
    shutdownDelay: durationOrZero
      .prefault('0s')
      .describe(
        'How long requests are still accepted when the gateway stops, while /health and /health/ready say 503: until load balancers have noticed. Default 0s.',
      ),
    drainTimeout: durationOrZero
      .prefault('30s')
      .describe('How long requests in flight may take to end when the gateway stops. Default 30s.'),
    reload: reloadSchema.prefault({}).describe('How a changed configuration is applied.'),
    stores: storesSchema
      .prefault({})
      .describe(
        'Where counts of rate limits, API keys and stored replies are kept that several threads or gateways share.',
      ),
    secrets: secretsSchema
      .default([])
      .describe(
        'What the gateways derive their own keys from, one for each purpose: the current secret, and after it the previous ones, ' +
          'which still open what they have sealed. At least 32 octets each, the same for all gateways. Default none.',
      ),
    docs: docsSchema.prefault({}).describe('The documentation of the API, which the endpoints docs and openapi serve.'),
    services: servicesSchema.default({}).describe('The services, by name.'),
    policyFiles: policyFileSchema
      .array()
      .default([])
      .describe('Files with policies of your own: a path, or { file, before } or { file, after } to say their place.'),
    policies: policiesSchema.prefault({}).describe('Policies of every route, unless the route says otherwise.'),
    routes: routeSchema
      .array()
      .default([])
      .describe('The routes. The most specific one wins; their order decides nothing.'),
  })
  .describe('Configuration of the Sallyport gateway.')

type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** The configuration after parsing: durations in milliseconds, sizes in bytes, defaults filled in. */
export type GatewayConfig = z.output<typeof gatewaySchema>
/** The configuration as it is written. */
export type GatewayInput = z.input<typeof gatewaySchema>
/** One route after parsing; its policies are those of every route with its own put on top. */
export type RouteConfig = GatewayConfig['routes'][number]
