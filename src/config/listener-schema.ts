import { z } from 'zod'
import { duplicatesOf } from '../core/duplicates.ts'
import { type Address, formatAddress } from '../core/address.ts'
import { address } from './addresses.ts'
import { tlsSchema } from './tls-schema.ts'

const nameExpected = 'expected a name of letters, digits, ".", ":", "_", "[", "]" and "-"'

const listenerSchema = z.strictObject({
  address: address
    .describe('Address and port to listen on: "0.0.0.0:8000", or "[::]:8000" for IPv6 and IPv4.')
    .meta({ examples: ['0.0.0.0:8000', '[::]:8443'] }),
  proxyProtocol: z
    .enum(['off', 'required'])
    .default('off')
    .describe(
      'PROXY protocol, version 1 or 2, with which a load balancer says who the client is: off or required. Only trustedProxies may connect; connections from other addresses are closed. Default off.',
    ),
  http2: z
    .boolean()
    .default(true)
    .describe('Accept HTTP/2 as well as HTTP/1.1: by ALPN over TLS, by prior knowledge without it. Default true.'),
  redirectToHttps: z
    .union([z.boolean(), z.int().min(1).max(65_535)])
    .default(false)
    .describe(
      'Redirect requests to https (308): true for the port of the first listener with tls, or the port that clients use. Health endpoints and ACME challenges are still answered. Default false.',
    ),
  tls: tlsSchema.optional().describe('TLS for clients. Default: plain HTTP.'),
  name: z
    .string(nameExpected)
    .regex(/^[A-Za-z0-9._:[\]-]+$/, nameExpected)
    .optional()
    .describe('Name of the listener for match.listener. Default its address as written here.')
    .meta({ examples: ['public'] }),
})

/** Typical listeners. */
export const listenerExamples: readonly z.input<typeof listenersSchema>[] = [
  [{ address: '0.0.0.0:8000' }],
  [
    {
      address: '0.0.0.0:8443',
      tls: { certificates: [{ cert: './tls/example.com.pem', key: './tls/example.com.key' }] },
    },
  ],
  [
    { address: '0.0.0.0:8000', redirectToHttps: true },
    {
      address: '0.0.0.0:8443',
      tls: { acme: { domains: ['example.com'], email: 'ops@example.com', folder: './acme' } },
    },
  ],
]

/** Schema of the listeners. */
export const listenersSchema = listenerSchema.array().min(1).superRefine(refuseDuplicates).superRefine(checkRedirects)

/** The addresses that localhost can have. */
const LOOPBACK = ['127.0.0.1', '::1']

/**
 * Port 0 takes any free port, so it may be used several times. Otherwise the workers would share the port, and the system would distribute
 * the connections to it among the listeners.
 */
function refuseDuplicates(listeners: readonly { address: Address }[], context: z.RefinementCtx): void {
  const issue = (i: number, message: string): void =>
    context.addIssue({ code: 'custom', path: [i, 'address'], message })
  for (const [i, first] of duplicatesOf(listeners.map((listener) => formatAddress(listener.address))))
    if (listeners[i]?.address.port !== 0) issue(i, `the same address as listeners[${first}]`)
  for (const [i, listener] of listeners.entries()) {
    const { host, port } = listener.address
    if (host !== 'localhost' || port === 0) continue
    const same = listeners.findIndex((other) => other.address.port === port && LOOPBACK.includes(other.address.host))
    if (same !== -1)
      issue(i, `localhost may be the address of listeners[${same}]: write ${LOOPBACK.join(' or ')} instead`)
  }
}

type Listeners = readonly { readonly redirectToHttps: boolean | number; readonly tls?: unknown }[]

function checkRedirects(listeners: Listeners, context: z.RefinementCtx): void {
  const secure = listeners.some(({ tls }) => tls !== undefined)
  for (const [i, { redirectToHttps, tls }] of listeners.entries()) {
    if (redirectToHttps === false) continue
    const issue = (message: string): void => context.addIssue({ code: 'custom', path: [i, 'redirectToHttps'], message })
    if (tls !== undefined) issue('beside tls; expected it on a listener without tls')
    else if (redirectToHttps === true && !secure)
      issue('true, and no listener has tls; expected one, or the port at which clients find https')
  }
}
