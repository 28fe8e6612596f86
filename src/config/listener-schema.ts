import { z } from 'zod'
import { type Address, formatAddress } from '../core/address.ts'
import { address } from './addresses.ts'
import { tlsSchema } from './tls-schema.ts'

const nameExpected = 'expected a name of letters, digits, ".", ":", "_", "[", "]" and "-"'

const listenerSchema = z.strictObject({
  address: address.describe('Where to listen: "0.0.0.0:8000", or "[::]:8000" for IPv6 and IPv4.'),
  proxyProtocol: z
    .enum(['off', 'required'])
    .default('off')
    .describe(
      'Whether each connection begins with a header of the PROXY protocol, version 1 or 2, by which a load balancer says ' +
        'who the client is: off, or required. Only trustedProxies may send one; whoever else connects is closed. Default off.',
    ),
  http2: z
    .boolean()
    .default(true)
    .describe(
      'Whether clients may speak HTTP/2 beside HTTP/1.1: over TLS by ALPN, without it those that begin with it at once (prior ' +
        'knowledge). Default true.',
    ),
  redirectToHttps: z
    .union([z.boolean(), z.int().min(1).max(65_535)])
    .default(false)
    .describe(
      'Whether requests are led to the same place over https (308): true for the port of the first listener with tls, or the ' +
        'port that clients know. The health endpoints and the challenges of CAs are answered as they are. Default false.',
    ),
  tls: tlsSchema.optional().describe('Clients speak TLS, and this is shown to them. Default: they speak plain HTTP.'),
  name: z
    .string(nameExpected)
    .regex(/^[A-Za-z0-9._:[\]-]+$/, nameExpected)
    .optional()
    .describe('What routes call it in match.listener. Default its address as it stands here.'),
})

/** Schema of the listeners. */
export const listenersSchema = listenerSchema.array().min(1).superRefine(refuseDuplicates).superRefine(checkRedirects)

/** Port 0 takes any free one, so several of them may be asked for. */
function refuseDuplicates(listeners: readonly { address: Address }[], context: z.RefinementCtx): void {
  const addresses = listeners.map((listener) => formatAddress(listener.address))
  for (const [i, listener] of listeners.entries()) {
    const first = addresses.indexOf(formatAddress(listener.address))
    if (first === i || listener.address.port === 0) continue
    context.addIssue({ code: 'custom', path: [i, 'address'], message: `the same address as listeners[${first}]` })
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
