import { z } from 'zod'
import { type Address, formatAddress } from '../core/address.ts'
import { address } from './addresses.ts'
import { tlsSchema } from './tls-schema.ts'

const listenerSchema = z.strictObject({
  address: address.describe('Where to listen: "0.0.0.0:8000", or "[::]:8000" for IPv6 and IPv4.'),
  proxyProtocol: z
    .enum(['off', 'required'])
    .default('off')
    .describe(
      'Whether each connection begins with a header of the PROXY protocol, version 1 or 2, by which a load balancer says ' +
        'who the client is: off, or required. Only trustedProxies may send one; whoever else connects is closed. Default off.',
    ),
  tls: tlsSchema.optional().describe('Clients speak TLS, and this is shown to them. Default: they speak plain HTTP.'),
})

/** Schema of the listeners. */
export const listenersSchema = listenerSchema.array().min(1).superRefine(refuseDuplicates)

/** Port 0 takes any free one, so several of them may be asked for. */
function refuseDuplicates(listeners: readonly { address: Address }[], context: z.RefinementCtx): void {
  const addresses = listeners.map((listener) => formatAddress(listener.address))
  for (const [i, listener] of listeners.entries()) {
    const first = addresses.indexOf(formatAddress(listener.address))
    if (first === i || listener.address.port === 0) continue
    context.addIssue({ code: 'custom', path: [i, 'address'], message: `the same address as listeners[${first}]` })
  }
}
