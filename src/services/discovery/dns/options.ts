import { isIP, isIPv6 } from 'node:net'
import { z } from 'zod'
import { duration } from '../../../core/units.ts'

const MAX_NAME_LENGTH = 254
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i
const PORT = /^(?<host>[^:[\]]+|\[[^\]]+\])(?::(?<port>\d{1,5}))?$/

const nameExpected = 'expected a DNS name such as "users.internal" or "_http._tcp.users.internal"'
const serverExpected = 'expected the IP address of a DNS server, such as "10.0.0.53" or "127.0.0.1:8600"'

/** Schema of DNS discovery options; durations in milliseconds. */
export const dnsOptions = z
  .strictObject({
    name: z
      .string(nameExpected)
      .refine(isName, nameExpected)
      .describe(
        'Name to look up. Without a trailing dot the search domains of /etc/resolv.conf apply too, unless server is set.',
      )
      .meta({ examples: ['users.internal', '_http._tcp.users.internal'] }),
    type: z
      .enum(['both', 'A', 'AAAA', 'SRV'])
      .default('both')
      .describe('Record type: A, AAAA, both, or SRV, whose records carry ports and weights. Default both.'),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Port of the instances; SRV records carry their own.')
      .meta({ examples: [8080] }),
    minInterval: duration.prefault('1s').describe('Shortest time between lookups, whatever the TTL. Default 1s.'),
    maxInterval: duration.prefault('30s').describe('Longest time between lookups. Default 30s.'),
    server: z
      .string(serverExpected)
      .refine(isServer, serverExpected)
      .optional()
      .describe('DNS server: IP address, and port if not 53. Default those of /etc/resolv.conf, after /etc/hosts.')
      .meta({ examples: ['192.0.2.53', '192.0.2.53:5353'] }),
  })
  .superRefine(({ type, port, minInterval, maxInterval }, context) => {
    if (type === 'SRV' && port !== undefined)
      context.addIssue({ code: 'custom', path: ['port'], message: 'SRV records contain the port: remove it' })
    if (type !== 'SRV' && port === undefined)
      context.addIssue({
        code: 'custom',
        path: ['port'],
        message: 'expected the port of the instances, or type: SRV',
        input: undefined,
      })
    if (minInterval > maxInterval)
      context.addIssue({ code: 'custom', path: ['minInterval'], message: 'longer than maxInterval' })
  })

export type DnsOptions = z.output<typeof dnsOptions>

function isName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.')
  return text.length <= MAX_NAME_LENGTH && isIP(text) === 0 && labels.every((label) => LABEL.test(label))
}

function isServer(text: string): boolean {
  if (isIPv6(text)) return true
  const { host = '', port = '53' } = PORT.exec(text)?.groups ?? {}
  return isIP(host.replace(/^\[|\]$/g, '')) !== 0 && Number(port) > 0 && Number(port) <= 65_535
}
