import type { Exchange } from '../http/exchange.ts'
import { Headers } from '../http/headers.ts'
import { UNTRACED } from '../http/trace.ts'

/** An exchange as it stands before a policy has seen it: GET http://api.example.com/api/v1/users/7?page=2 on the route "users". */
export function fakeExchange(parts: Partial<Exchange> = {}): Exchange {
  return {
    method: 'GET',
    path: '/api/v1/users/7',
    forms: null,
    query: '?page=2',
    target: '/api/v1/users/7?page=2',
    host: 'api.example.com',
    headers: Headers.of(),
    body: null,
    upgrade: null,
    acceptsTrailers: false,
    expectsContinue: false,
    client: {
      address: '192.0.2.1',
      scheme: 'http',
      host: null,
      claims: '',
      certificate: null,
      forwardingFields: () => '',
    },
    start: 0,
    correlationId: '',
    route: { id: 'users', pattern: '/api/v1/users/{id}', service: 'user-service' },
    params: { id: '7' },
    consumer: null,
    sharesCredentials: null,
    instance: null,
    serviceTime: 0,
    clientTime: 0,
    repliedAt: null,
    error: null,
    trace: UNTRACED,
    record: null,
    refusal: null,
    aborted: false,
    waiter: null,
    pending: null,
    inform: () => {},
    ...parts,
  }
}
