import { z } from 'zod'
import { balancers, balancerSchema } from '../services/balancers/index.ts'
import { formatAddress } from '../core/address.ts'
import { duration, sizeWithin } from '../core/units.ts'
import { discoverSchema, serverNameOf } from '../services/discovery/index.ts'
import { type InstanceUrl, parseHostAndPort, parseInstanceUrl } from './addresses.ts'
import { passiveSchema } from '../services/passive/index.ts'
import { hedgeSchema } from '../services/hedge/index.ts'
import { retrySchema } from '../services/retry/index.ts'
import { slowStartSchema } from '../services/slow-start/index.ts'
import { stickySchema } from '../services/sticky/index.ts'
import { concurrencySchema } from '../services/concurrency/index.ts'
import { healthSchema, targetPath } from './health-schema.ts'
import { serviceTlsSchema } from './service-tls-schema.ts'

/** An instance as configured. */
export interface InstanceConfig {
  url: InstanceUrl
  /** Share of the requests relative to the other instances. */
  weight: number
  /** The zone that the instance is in. */
  zone?: string | undefined
}

const urlExpected = 'expected a URL such as "http://user-service-1:8001" (http or https, host and port, no path)'
const urlsExpected = `${urlExpected}, or several with commas between`

const instanceText = z.string(urlsExpected).transform((text, context) => {
  const urls = text.split(',').map((part) => parseInstanceUrl(part.trim()))
  if (urls.includes(undefined)) context.addIssue({ code: 'custom', message: urlsExpected })
  return urls.filter((url) => url !== undefined).map((url): InstanceConfig => ({ url, weight: 1 }))
})

const instanceUrl = z.string(urlExpected).transform((text, context): InstanceUrl => {
  const url = parseInstanceUrl(text)
  if (url !== undefined) return url
  context.addIssue({ code: 'custom', message: urlExpected })
  return z.NEVER
})

const MIN_HEAD = 1024

const weightedInstance = z
  .strictObject({
    url: instanceUrl
      .describe('Address of the instance: http://host:port or https://host:port.')
      .meta({ examples: ['http://user-service-1:8001'] }),
    weight: z
      .int()
      .min(0)
      .max(1000)
      .default(1)
      .describe('Share of the requests relative to other instances, 1 to 1000, or 0 for none. Default 1.'),
    zone: z
      .string()
      .min(1)
      .optional()
      .describe('Zone of the instance; gateways in the same zone prefer it. Default none.')
      .meta({ examples: ['eu-central-1a'] }),
  })
  .transform((instance): InstanceConfig[] => [instance])

const timeoutsSchema = z.strictObject({
  connect: duration.prefault('2s').describe('Until the connection is established. Default 2s.'),
  response: duration
    .prefault('30s')
    .describe('From the last byte of the request to the head of the reply. Default 30s.'),
  idle: duration.prefault('60s').describe('Longest pause within a body, or on an upgraded connection. Default 60s.'),
  total: duration
    .optional()
    .describe(
      'From the start of the request (the end, for a short body) to the head of the reply, including connecting, sending and retries. Default none.',
    ),
})

const poolSchema = z.strictObject({
  connections: z.int().min(1).default(256).describe('Most connections to one instance, per worker. Default 256.'),
  streams: z
    .int()
    .min(0)
    .default(1024)
    .describe(
      'Most open event streams and WebSockets to one instance, per worker; they do not count as connections. Default 1024.',
    ),
  queue: z
    .int()
    .min(0)
    .default(1024)
    .describe('Most requests waiting for a connection, per worker and instance. Default 1024.'),
  queueTimeout: duration.prefault('2s').describe('Longest wait for a connection. Default 2s.'),
  idleTimeout: duration.prefault('30s').describe('How long an idle connection is kept. Default 30s.'),
  lifetime: duration
    .prefault('5m')
    .describe(
      'How long a connection is reused, plus or minus a tenth; then names are resolved again, so that traffic follows DNS changes. Default 5m.',
    ),
})

const limitsSchema = z.strictObject({
  head: sizeWithin(MIN_HEAD, Number.MAX_SAFE_INTEGER, 'expected a size such as "64kb", at least "1kb"')
    .prefault('64kb')
    .describe('Largest reply head: status line, headers and trailers. At least 1kb. Default 64kb.'),
  headers: z.int().min(10).max(10_000).default(500).describe('Most headers in a reply. Default 500.'),
})

const hostExpected = 'expected "client", "instance" or a fixed name such as "users.internal" or "users.internal:8080"'

const serviceFields = z.strictObject({
  instances: z
    .union([instanceText, weightedInstance])
    .array()
    .min(1, { abort: true })
    .superRefine(refuseDuplicates)
    .superRefine(refuseMixture)
    .superRefine(refuseWeightless)
    .transform((lists) => lists.flat())
    .default([])
    .describe(
      'Addresses of the service: URLs, or maps of url and weight. One string may hold several, separated by commas. Required unless discover is set.',
    )
    .meta({
      examples: [
        ['http://user-service-1:8001', 'http://user-service-2:8001'],
        [{ url: 'http://user-service-1:8001', weight: 3 }],
      ],
    })
    .meta({ default: undefined }),
  discover: discoverSchema.optional().describe('Discover instances, instead of listing them under instances.'),
  balancer: balancerSchema.default('least-requests').describe(
    `How an instance is picked: ${Object.entries(balancers)
      .map(([name, { summary }]) => `${name}: ${summary}`)
      .join(' ')} Default least-requests.`,
  ),
  sticky: stickySchema
    .optional()
    .describe(
      'Keep each client on the instance that first answered it, by a cookie or a session { header }; requires secrets. Default: off.',
    ),
  health: z
    .union([z.literal(false), healthSchema])
    .prefault({})
    .describe('Active health checks of each instance; false turns them off.'),
  passive: passiveSchema
    .prefault({})
    .describe(
      'Eject an instance for a while when client requests to it fail and those to other instances do not; false turns it off.',
    ),
  retry: retrySchema
    .prefault({})
    .describe(
      'Retry on another instance when the connection breaks before a reply, or the reply says that the instance cannot serve it, if repeating the request does no harm; false turns it off.',
    ),
  hedge: hedgeSchema
    .default(false)
    .describe(
      'Send a second request to another instance when the first is slow to reply and the request is safe (GET or HEAD), and use whichever reply comes first; false for never. Default false.',
    ),
  openapi: z
    .union([z.literal(false), targetPath])
    .default('/openapi.json')
    .describe(
      "Path of the service's own OpenAPI 3 document in JSON, for the API documentation; false if there is none. Default /openapi.json.",
    ),
  timeouts: timeoutsSchema.prefault({}).describe('Timeouts for instances.'),
  pool: poolSchema.prefault({}).describe('Connections to the instances.'),
  slowStart: slowStartSchema.describe(
    'How long a new or recovered instance gets less than its share of requests, starting at a tenth. Default 0s: off.',
  ),
  concurrency: concurrencySchema
    .default(false)
    .describe(
      'Most requests to the service at a time, over all workers; further ones get 503: { mode: adaptive }, a number, or false for no limit. Default false.',
    ),
  limits: limitsSchema.prefault({}).describe('Limits on replies of the service.'),
  host: z
    .string(hostExpected)
    .refine((text) => parseHostAndPort(text) !== undefined, hostExpected)
    .default('client')
    .describe(
      'Host header of the forwarded request: "client" keeps the client\'s, "instance" uses the host of the instance\'s URL, anything else is a fixed name. Health checks use the instance\'s for "client". Default client.',
    ),
  proxyProtocol: z
    .enum(['off', 'v1', 'v2'])
    .default('off')
    .describe(
      "PROXY protocol version that tells instances the client's address at the start of each connection, which is then used for this client alone: off, v1 or v2. Default off.",
    ),
  http2: z
    .boolean()
    .default(false)
    .describe('Use HTTP/2 to the instances: by ALPN for https, by prior knowledge for http. Default false: HTTP/1.1.'),
  tls: serviceTlsSchema
    .optional()
    .describe('TLS to https instances. Default: verified against the CA certificates of Node.js.'),
})

/** Schema of one service. */
export const serviceSchema = serviceFields
  .superRefine(({ instances, discover }, context) => {
    if (instances.length > 0 !== (discover !== undefined)) return
    if (discover === undefined) {
      const message = 'expected a list, unless discover is set'
      return context.addIssue({ code: 'custom', path: ['instances'], message, input: undefined })
    }
    const message = 'is set as well as instances: remove one of them'
    context.addIssue({ code: 'custom', path: ['discover'], message, input: discover })
  })
  .superRefine(({ tls, instances, discover }, context) => {
    if (tls === undefined || discover?.scheme === 'https' || instances.some(({ url }) => url.scheme === 'https')) return
    const write = discover === undefined ? 'write https:// instead of http://' : 'add scheme: https to discover'
    const message = `tls is set, but the instances are connected to without it: ${write}`
    context.addIssue({ code: 'custom', path: ['tls'], message, input: '[redacted]' })
  })
  .superRefine(({ health, http2 }, context) => {
    if (health === false || health.grpc === undefined || http2) return
    const message = 'gRPC needs HTTP/2: set http2: true on the service'
    context.addIssue({ code: 'custom', path: ['health', 'grpc'], message, input: health.grpc })
  })
  .superRefine((service, context) => {
    if (!needsServerName(service)) return
    const message = 'the name in the certificates is not known: set the namespace, or tls.serverName'
    context.addIssue({ code: 'custom', path: ['discover'], message, input: '[redacted]' })
  })
  .overwrite(withServerName)
  .meta({ oneOf: [needing('instances', 'array'), needing('discover', 'object')] })

/** Tells editors that the map requires this key. */
function needing(key: string, type: 'array' | 'object') {
  return { type: 'object' as const, properties: { [key]: { type } }, required: [key] }
}

/** If the certificates of pods are verified, a name is required. */
function needsServerName({ discover, tls }: ServiceFields): boolean {
  if (discover?.scheme !== 'https' || serverNameOf(discover) !== undefined) return false
  return tls?.serverName === undefined && tls?.insecure !== true
}

type ServiceFields = z.output<typeof serviceFields>

/** Certificates of discovered instances are issued for the discovered host name, not for the IP addresses. */
function withServerName(service: ServiceFields): ServiceFields {
  const { discover, tls } = service
  if (discover?.scheme !== 'https' || tls?.serverName !== undefined) return service
  const serverName = serverNameOf(discover)
  if (serverName === undefined) return service
  return { ...service, tls: { ...(tls ?? serviceTlsSchema.parse({})), serverName } }
}

function refuseDuplicates(lists: readonly (readonly InstanceConfig[])[], context: z.RefinementCtx): void {
  const owners = new Map<string, number>()
  for (const [index, list] of lists.entries()) {
    for (const { url } of list) {
      const address = formatAddress(url)
      const owner = owners.get(address)
      owners.set(address, owner ?? index)
      if (owner === undefined) continue
      const place = owner === index ? 'the list names one instance twice' : `the same instance as instances[${owner}]`
      context.addIssue({ code: 'custom', path: [index], message: `${place}: list it once, with a weight` })
    }
  }
}

/** Without any weight, no request could be answered. */
function refuseWeightless(lists: readonly (readonly InstanceConfig[])[], context: z.RefinementCtx): void {
  if (lists.flat().length === 0 || lists.some((list) => list.some(({ weight }) => weight > 0))) return
  context.addIssue({
    code: 'custom',
    message: 'every instance has weight 0: set a higher weight for at least one',
  })
}

/** Requests may go to any of the instances, so whether they are encrypted would be a matter of chance. */
function refuseMixture(lists: readonly (readonly InstanceConfig[])[], context: z.RefinementCtx): void {
  const schemes = lists.map((list) => list.map(({ url }) => url.scheme))
  const [first] = schemes.flat()
  const other = schemes.findIndex((each) => each.some((scheme) => scheme !== first))
  if (other === -1) return
  const message = 'http and https in one service: expected one of them for all of its instances'
  context.addIssue({ code: 'custom', path: [other], message })
}
