import type { Client, Consumer, Exchange } from '../http/exchange.ts'
import { Headers } from '../http/headers.ts'
import { internalExchange } from '../http/internal-exchange.ts'

/** The parts of an exchange, of its client and of its consumer that a test sets; `fakeExchange` fills in the rest. */
export interface ExchangeParts extends Partial<Omit<Exchange, 'client' | 'consumer'>> {
  readonly client?: Partial<Client>
  readonly consumer?: Partial<Consumer> | null
}

const TARGET = '/api/v1/users/7?page=2'

const someone: Client = {
  address: '192.0.2.1',
  scheme: 'http',
  host: null,
  claims: '',
  proxied: false,
  certificate: null,
  hops: ['192.0.2.1'],
  peerCertificate: null,
  forwardingFields: () => '',
}

const user: Consumer = { id: '42', roles: [], scopes: [], tier: 'authenticated', key: null, claims: {} }

/**
 * An exchange before any policy has seen it: GET http://api.example.com/api/v1/users/7?page=2 on the route "users", from 192.0.2.1,
 * anonymous. If part of a consumer is given, the rest is that of the user 42, without roles.
 */
export function fakeExchange({ client, consumer = null, ...parts }: ExchangeParts = {}): Exchange {
  const exchange = internalExchange({
    method: 'GET',
    target: TARGET,
    host: 'api.example.com',
    headers: Headers.of(),
    client: { ...someone, ...client },
    start: 0,
  })
  exchange.target = TARGET
  exchange.route = { id: 'users', pattern: '/api/v1/users/{id}', service: 'user-service' }
  exchange.params = { id: '7' }
  exchange.consumer = consumer === null ? null : { ...user, ...consumer }
  return Object.assign(exchange, parts)
}
