import { collect } from '../http/body.ts'
import type { Clock } from '../core/clock.ts'
import type { ServiceReply, ServiceRequest } from '../http/service-request.ts'
import { GatewayError } from '../core/errors.ts'
import { isToken } from '../core/field.ts'
import type { Abortable, Exchange } from '../http/exchange.ts'
import type { PendingReply } from '../http/pending-reply.ts'
import { UNTRACED } from '../http/trace.ts'
import { createForward } from './forward.ts'
import { ITSELF } from '../proxy-protocol/written-header.ts'
import type { Service } from './service.ts'

/** The gateway itself, where a client would be. */
const NOBODY = {
  address: ITSELF,
  scheme: 'http',
  host: null,
  claims: '',
  certificate: null,
  forwardingFields: () => '',
} as const

/**
 * Sends a request of the gateway's own to an instance of a service, as requests of clients are sent: balanced, pooled,
 * past unhealthy instances. Rejects with a GatewayError when no whole reply comes in time, or an Error when there is no
 * such service or its method is none.
 */
export async function callService(
  services: ReadonlyMap<string, Service>,
  name: string,
  request: ServiceRequest,
  clock: Clock,
): Promise<ServiceReply> {
  if (!isToken(request.method)) throw new TypeError(`${JSON.stringify(request.method)} is not a method`)
  const service = services.get(name)
  if (service === undefined) throw new Error(`there is no service ${name}`)
  const call = new Call(name, request, clock.now())
  const { promise: late, reject } = Promise.withResolvers<never>()
  const { timeout, limit, signal } = request
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

async function answer(service: Service, call: Call, limit: number): Promise<ServiceReply> {
  const reply = await createForward(service, { rewrite: null, prefixField: '', timeouts: service.timeouts })(call)
  return { status: reply.status, headers: reply.headers, body: await collect(reply.body, limit) }
}

/** An exchange whose client is the gateway. */
class Call implements Exchange {
  readonly method: string
  path: string
  readonly forms = null
  readonly query = ''
  readonly target = null
  readonly host: string
  readonly headers: Exchange['headers']
  body: Exchange['body']
  readonly upgrade = null
  readonly acceptsTrailers = false
  readonly expectsContinue = false
  readonly client = NOBODY
  readonly start: number
  correlationId = ''
  readonly route = { id: '', pattern: '', service: null }
  readonly params = {}
  readonly consumer = null
  readonly sharesCredentials = null
  instance: string | null = null
  serviceTime = 0
  clientTime = 0
  repliedAt: number | null = null
  error: GatewayError | null = null
  readonly trace = UNTRACED
  readonly record = null
  readonly refusal = null
  aborted = false
  waiter: Abortable | null = null
  pending: PendingReply | null = null

  constructor(service: string, request: ServiceRequest, start: number) {
    this.method = request.method
    this.path = request.target
    this.host = service
    this.headers = request.headers
    this.body = request.body
    this.start = start
  }

  inform(): void {}

  abort(): void {
    this.aborted = true
    this.waiter?.abort()
  }
}
