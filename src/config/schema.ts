import { z } from 'zod'
import { duration, durationOrZero, size, sizeWithin } from '../core/units.ts'
import { overloadSchema } from '../overload/index.ts'
import { mayBeClaim } from '../http/field-names.ts'
import { networks } from '../core/networks-schema.ts'
import { fieldName } from '../policies/field-name.ts'
import { isSecret } from '../telemetry/redact.ts'
import { MAX_SERVICES } from '../services/concurrency/index.ts'
import { adminSchema } from './admin-schema.ts'
import { endpointsSchema } from './endpoints-schema.ts'
import { listenerExamples, listenersSchema } from './listener-schema.ts'
import { ownPolicySchema } from './own-policy-schema.ts'
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
  'expected the name of a header that holds the address of a client, such as CF-Connecting-IP, and has no other meaning for the gateway'

/** The maximum number of headers in a line of the access log. */
const MAX_LOGGED = 8

const loggedField = fieldName.refine((name) => !isSecret(name) && !/cookie|csrf|xsrf/i.test(name), {
  error: (issue) => `${JSON.stringify(issue.input)} contains secrets and must not be logged; expected another field`,
})

const accessSchema = z.strictObject({
  sample: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('Fraction of requests to log, from 0 to 1; errors and slow requests are always logged. Default 1.'),
  slow: duration
    .optional()
    .describe('Requests that take this long or longer are logged at level warn, whatever the sample. Default none.'),
  timings: z
    .boolean()
    .default(false)
    .describe('Add timings to each line: time in the service, the gateway, and each policy. Default false.'),
  headers: loggedField
    .array()
    .max(MAX_LOGGED)
    .default([])
    .describe(
      'Names of request headers to add to the line with their values, such as X-Version; headers with secrets are not allowed. Default none.',
    )
    .meta({ examples: [['User-Agent', 'X-Version']] }),
  replay: z
    .boolean()
    .default(false)
    .describe(
      'Add what `sallyport replay` may need as well: tier and number of roles of the caller, and the listener. Default false.',
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
    .describe('Lowest level to log: debug, info, warn or error, in either case. Default info.'),
  format: z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('json, pretty, or auto: pretty in a terminal, json elsewhere. Default auto.'),
  file: z
    .string()
    .min(1)
    .optional()
    .describe('File to append to; SIGUSR2 reopens it. Default standard output.')
    .meta({ examples: ['/var/log/sallyport.log'] }),
  access: z
    .union([z.boolean(), accessSchema])
    .prefault(true)
    .transform((access) => (access === true ? accessSchema.parse({}) : access))
    .describe(
      'Log each request, or { sample, slow, timings, headers, replay } to choose which requests to log, and with which fields. Default true.',
    ),
})

const perClientSchema = z.strictObject({
  connections: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Most connections from one address, or one IPv6 /64 network, at a time, per listener; trusted proxies are exempt. Default no limit.',
    )
    .meta({ examples: [100] }),
  requests: z
    .int()
    .min(1)
    .optional()
    .describe('Most requests of one client in flight at a time; further ones get 429. Default no limit.')
    .meta({ examples: [50] }),
})

/** The minimum limit for the head of a request, in bytes: with less, no browser request would get through. */
const MIN_HEAD = 1024
const MIN_TARGET = 64
const minHead = 'expected at least "1kb": a request has no room in less'
const minTarget = 'expected at least "64b": a request has no room in less'

const limitsSchema = z.strictObject({
  head: sizeWithin(MIN_HEAD, Number.MAX_SAFE_INTEGER, minHead)
    .prefault('16kb')
    .describe('Largest request head: request line and headers. Default 16kb.'),
  target: sizeWithin(MIN_TARGET, Number.MAX_SAFE_INTEGER, minTarget)
    .prefault('8kb')
    .describe('Longest request target: path and query. Default 8kb.'),
  headers: z.int().min(1).default(100).describe('Most headers in a request. Default 100.'),
  body: size.prefault('10mb').describe('Largest request body. Default 10mb.'),
  handshakeTimeout: duration
    .prefault('10s')
    .describe('Longest TLS handshake, from the start of the connection. Default 10s.'),
  headTimeout: duration.prefault('10s').describe('Longest time for a complete request head to arrive. Default 10s.'),
  bodyTimeout: duration.prefault('30s').describe('Longest pause within a request body. Default 30s.'),
  idleTimeout: duration.prefault('60s').describe('Longest pause between two requests on a connection. Default 60s.'),
  writeTimeout: duration
    .prefault('60s')
    .describe('Longest time that a client may read nothing of its reply. Default 60s.'),
  minRate: z
    .int()
    .min(0)
    .default(240)
    .describe(
      'Lowest average rate, in bytes per second, at which a client must send a body or read a reply, after the first 5s; 0 for none. Default 240.',
    ),
  connections: z.int().min(1).default(10_000).describe('Most client connections at a time. Default 10000.'),
  handshakes: z
    .int()
    .min(1)
    .default(1000)
    .describe('Most TLS handshakes at a time, per listener and worker; beyond it the oldest is dropped. Default 1000.'),
  perClient: perClientSchema.prefault({}).describe('Limits per client and worker.'),
})

const docsSchema = z.strictObject({
  title: z.string().min(1).default('API').describe('Title of the API. Default API.'),
  version: z.string().min(1).default('1.0.0').describe('Version of the API, not of the gateway. Default 1.0.0.'),
  description: z
    .string()
    .default('')
    .describe('Description of the API, in Markdown. Default empty.')
    .meta({ examples: ['Orders and users of the shop.'] }),
  refresh: duration.prefault('1m').describe("How often the services' own documents are fetched. Default 1m."),
})

const servicesSchema = z
  .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, nameExpected), serviceSchema)
  .refine((services) => Object.keys(services).length <= MAX_SERVICES, `expected at most ${MAX_SERVICES} services`)

/** Schema of the whole configuration: its input is the file as written, its output what the gateway works with. */
export const gatewaySchema = z
  .strictObject({
    listeners: listenersSchema
      .prefault([{ address: '0.0.0.0:8000' }])
      .describe('Addresses to listen on. Default 0.0.0.0:8000.')
      .meta({ examples: listenerExamples }),
    endpoints: endpointsSchema
      .prefault({})
      .describe(
        'Paths that the gateway answers itself, in addition to the routes. Default all of them, at their default paths.',
      ),
    admin: adminSchema.prefault({}).describe('The listener for operators; false turns it off.'),
    workers: z
      .union([z.int().min(1).max(1024), z.literal('auto')])
      .default('auto')
      .describe(
        "Number of worker threads, or auto for one per core, limited to the whole cores of the container's CPU limit. Default auto.",
      ),
    workerTimeout: durationOrZero
      .prefault('10s')
      .describe('Replace a worker whose event loop is blocked for this long; 0s to never replace one. Default 10s.'),
    memoryLimit: size
      .optional()
      .describe(
        "Memory that the process may use; it bounds the heaps of the workers. Default the container's limit, otherwise none.",
      ),
    trustedProxies: networks
      .default([])
      .describe(
        'Addresses and networks of proxies whose forwarding headers are trusted, or { file } for a file that is read again whenever it changes. Default none.',
      )
      .meta({ examples: [['10.0.0.0/8', '2001:db8::/32'], [{ file: './proxies.txt' }]] }),
    forwarding: z
      .enum(['x-forwarded', 'forwarded'])
      .default('x-forwarded')
      .describe(
        'Headers that trusted proxies set: x-forwarded for X-Forwarded-For, -Proto and -Host, or forwarded for Forwarded (RFC 7239). The other family is dropped, because clients may have forged it. Default x-forwarded.',
      ),
    clientHeader: z
      .string(clientHeaderExpected)
      .refine((name) => /^[A-Za-z0-9-]+$/.test(name) && mayBeClaim(name), clientHeaderExpected)
      .nullable()
      .default(null)
      .describe(
        "Header in which trusted proxies give the client's address, such as CF-Connecting-IP. It is used if it holds one address; the proxies must overwrite it on every request. It is dropped from all other requests. Default none.",
      )
      .meta({ examples: ['CF-Connecting-IP'] }),
    proxyFields: proxyField
      .array()
      .default([])
      .describe(
        'Headers with which trusted proxies may tell services who the caller is, such as X-Auth-Request-User or X-Auth-Request-*. They are dropped from all other requests. Default none.',
      )
      .meta({ examples: [['X-Auth-Request-*']] }),
    requestFields: z
      .enum(['pass', 'strict'])
      .default('pass')
      .describe(
        'Request headers whose names contain anything but letters, digits and hyphens: pass, or strict to drop them all. Those that a service could mistake for a header of the gateway are always dropped. Default pass.',
      ),
    pathParameters: pathParameters
      .default('keep')
      .describe(
        'Path parameters, as in /a;x=1/b: refuse, strip or keep. They are always refused where the path without them leads to another route. Default keep.',
      ),
    zone: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Zone of this gateway. Instances in the same zone are preferred. Default the environment variable SALLYPORT_ZONE, otherwise none.',
      )
      .meta({ examples: ['eu-central-1a'] }),
    log: logSchema.prefault({}).describe('Logging.'),
    limits: limitsSchema.prefault({}).describe('Limits on what clients send, and how slowly.'),
    overload: overloadSchema
      .prefault({})
      .describe(
        'Shed requests while a worker is overloaded, which shows in the delay of its event loop: routes of low priority first, of high priority never. false turns it off. Default { delay: 100ms, for: 1s }.',
      ),
    shutdownDelay: durationOrZero
      .prefault('0s')
      .describe(
        'How long the gateway still accepts requests when it stops, with 503 at /health and /health/ready, so that load balancers notice. Default 0s.',
      ),
    drainTimeout: durationOrZero
      .prefault('30s')
      .describe('How long requests in flight may take to finish when the gateway stops. Default 30s.'),
    reload: reloadSchema.prefault({}).describe('How a changed configuration is applied.'),
    stores: storesSchema
      .prefault({})
      .describe('Where rate-limit counts, API keys and stored replies are kept, shared by workers or gateways.'),
    secrets: secretsSchema
      .default([])
      .describe(
        'Secrets from which the gateways derive their own keys, one per purpose: the current one first, then previous ones, which can still decrypt. At least 32 bytes each, the same on all gateways. Default none.',
      )
      .meta({ examples: [['${SALLYPORT_SECRET}']] }),
    docs: docsSchema.prefault({}).describe('The API documentation, served by the endpoints docs and openapi.'),
    services: servicesSchema
      .default({})
      .describe('Services, by name.')
      .meta({ examples: [{ 'user-service': { instances: ['http://user-service:8001'] } }] }),
    ownPolicies: ownPolicySchema
      .array()
      .default([])
      .describe(
        'Custom policies: the path of a file, or { file, before } or { file, after } to place it in the order; in TypeScript also the policy itself, or { policy, before }.',
      )
      .meta({ examples: [['./policies/tenant.ts', { file: './policies/audit.ts', before: 'auth' }]] }),
    policies: policiesSchema.prefault({}).describe('Policies for every route, unless a route overrides them.'),
    routes: routeSchema
      .array()
      .default([])
      .describe('Routes. The most specific one wins; their order does not matter.')
      .meta({ examples: [[{ id: 'users', match: { path: '/api/v1/users/*' }, service: 'user-service' }]] }),
  })
  .describe('Configuration of the Sallyport gateway.')

type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** The configuration after parsing: durations in milliseconds, sizes in bytes, defaults filled in. */
export type GatewayConfig = z.output<typeof gatewaySchema>
/** One route after parsing; its policies include those for every route. */
export type RouteConfig = GatewayConfig['routes'][number]
