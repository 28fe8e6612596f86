import type { Exchange } from '../http/exchange.ts'
import { Headers } from '../http/headers.ts'
import { ownExchange } from '../http/own-exchange.ts'

const TARGET = '/api/v1/users/7?page=2'

/** An exchange as it stands before a policy has seen it: GET http://api.example.com/api/v1/users/7?page=2 on the route "users". */
export function fakeExchange(parts: Partial<Exchange> = {}): Exchange {
  const exchange = ownExchange({
    method: 'GET',
    target: TARGET,
    host: 'api.example.com',
    headers: Headers.of(),
    client: {
      address: '192.0.2.1',
      scheme: 'http',
      host: null,
      claims: '',
      proxied: false,
      certificate: null,
      hops: ['192.0.2.1'],
      peerCertificate: null,
      forwardingFields: () => '',
    },
    start: 0,
  })
  exchange.target = TARGET
  exchange.route = { id: 'users', pattern: '/api/v1/users/{id}', service: 'user-service' }
  exchange.params = { id: '7' }
  return Object.assign(exchange, parts)
}
