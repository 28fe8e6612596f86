import { z } from 'zod'
import { duration, size } from '../core/units.ts'
import { address } from './addresses.ts'
import { checkTls, clientTlsFields, withTexts } from './service-tls-schema.ts'

const urlExpected = 'expected a URL such as "redis://:password@redis:6379/0" or "rediss://redis:6379"'
const REDIS_URL = /^rediss?:\/\/[^\s/]+(?:\/\d*)?$/
const SERVERS = ['url', 'sentinels', 'cluster'] as const

const redisSchema = z
  .strictObject({
    url: z
      .string(urlExpected)
      .superRefine((text, context) => {
        // The text is not quoted because it may hold a password.
        if (text !== '' && !(REDIS_URL.test(text) && URL.canParse(text)))
          context.addIssue({ code: 'custom', message: urlExpected, input: '[redacted]' })
      })
      .optional()
      .describe('A single server: redis://user:password@host:port/database, rediss:// for TLS. Empty: no Redis.')
      .meta({ examples: ['redis://redis:6379', '${REDIS_URL:-}'] }),
    sentinels: z
      .strictObject({
        master: z
          .string()
          .min(1)
          .describe('Name of the master.')
          .meta({ examples: ['main'] }),
        nodes: address
          .array()
          .min(1)
          .describe('Sentinels, as host:port.')
          .meta({ examples: [['sentinel-1:26379', 'sentinel-2:26379', 'sentinel-3:26379']] }),
      })
      .optional()
      .describe('Sentinels that know the current master.'),
    cluster: address
      .array()
      .min(1)
      .optional()
      .describe('Some of the nodes of a Redis Cluster, as host:port.')
      .meta({ examples: [['redis-1:6379', 'redis-2:6379', 'redis-3:6379']] }),
    username: z
      .string()
      .min(1)
      .optional()
      .describe('User, if not in the URL.')
      .meta({ examples: ['sallyport'] }),
    password: z
      .string()
      .min(1)
      .optional()
      .describe('Password, if not in the URL.')
      .meta({ examples: ['${REDIS_PASSWORD}'] }),
    tls: z
      .union([z.boolean(), z.strictObject(clientTlsFields).transform(withTexts).superRefine(checkTls)])
      .default(false)
      .describe('Use TLS for connections, to Sentinels too, or how. Default false, except for a rediss:// URL.'),
    timeout: duration
      .prefault('50ms')
      .describe('Longest wait for an answer before the gateway continues without Redis. Default 50ms.'),
  })
  .superRefine((redis, context) => {
    const [first, second] = SERVERS.filter((key) => redis[key] !== undefined)
    if (first === undefined) context.addIssue({ code: 'custom', message: `expected one of ${SERVERS.join(', ')}` })
    if (second === undefined) return
    const message = `${second} beside ${first}; expected only one of ${SERVERS.join(', ')}`
    context.addIssue({ code: 'custom', path: [second], message })
  })
  .transform(({ url, sentinels, cluster, ...access }) => {
    if (sentinels !== undefined) return { place: { sentinels }, ...access }
    if (cluster !== undefined) return { place: { cluster }, ...access }
    return url === undefined || url === '' ? null : { place: { url }, ...access }
  })

/** Schema of the stores for state that several threads or processes share. */
export const storesSchema = z.strictObject({
  memory: z
    .strictObject({
      entries: z
        .int()
        .min(1024)
        .max(2 ** 26)
        .default(131_072)
        .describe('Most client counters in memory, 24 bytes each, rounded up to a power of two. Default 131072.'),
      replies: size.prefault('64mb').describe('Memory for replies kept by the policy idempotency. Default 64mb.'),
    })
    .prefault({})
    .describe('The memory of the process.'),
  redis: redisSchema.nullable().default(null).describe('Redis, shared by all gateways. Default none.'),
})
