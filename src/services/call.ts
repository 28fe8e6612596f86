import { collect } from '../http/body.ts'
import type { Clock } from '../core/clock.ts'
import type { ServiceReply, ServiceRequest } from '../http/service-request.ts'
import { GatewayError } from '../core/errors.ts'
import { isToken } from '../core/field.ts'
import type { Exchange } from '../http/exchange.ts'
import { internalExchange } from '../http/internal-exchange.ts'
import { createForward } from './forward.ts'
import { ITSELF } from '../proxy-protocol/written-header.ts'
import type { CurrentService } from './current-service.ts'

/** The gateway itself, instead of a client. */
const NOBODY = {
  address: ITSELF,
  scheme: 'http',
  host: null,
  claims: '',
  proxied: false,
  certificate: null,
  hops: [],
  peerCertificate: null,
  forwardingFields: () => '',
} as const

/**
 * Sends a request of the gateway itself to an instance of a service, in the same way as client requests: balanced, pooled, avoiding
 * unhealthy instances. Rejects with a GatewayError if no complete reply arrives in time, or with an Error for an unknown service or invalid
 * method.
 */
export async function callService(
  services: ReadonlyMap<string, CurrentService>,
  name: string,
  request: ServiceRequest,
  clock: Clock,
): Promise<ServiceReply> {
  if (!isToken(request.method)) throw new TypeError(`${JSON.stringify(request.method)} is not a method`)
  const service = services.get(name)
  if (service === undefined) throw new Error(`there is no service ${name}`)
  const { method, target, headers, body } = request
  const call = internalExchange({ method, target, host: name, headers, client: NOBODY, start: clock.now() })
  call.body = body
  const { promise: late, reject } = Promise.withResolvers<never>()
  const { timeout, limit, signal } = request
  if (signal?.aborted === true) throw new GatewayError('client-closed')
  const end = (error: GatewayError): void => {
    call.abort()
    reject(error)
  }
  const giveUp = (): void => end(new GatewayError('client-closed'))
  const cancel = clock.after(timeout, () =>
    end(new GatewayError('gateway-timeout', `The service did not answer within ${timeout} ms.`)),
  )
  signal?.addEventListener('abort', giveUp)
  try {
    return await Promise.race([answer(service, call, limit), late])
  } finally {
    cancel()
    signal?.removeEventListener('abort', giveUp)
  }
}

async function answer(service: CurrentService, call: Exchange, limit: number): Promise<ServiceReply> {
  const reply = await createForward(service, {
    rewrite: null,
    rewriteHost: null,
    prefixField: '',
    timeouts: service.current.timeouts,
    priority: 'high',
    hedge: false,
    total: 0,
  })(call)
  return { status: reply.status, headers: reply.headers, body: await collect(reply.body, limit, NOBODY.address) }
}
