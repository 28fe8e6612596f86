import assert from 'node:assert/strict'
import test from 'node:test'
import type { RecentDetails } from '../telemetry/recent-requests.ts'
import { causeOf } from './request-cause.ts'

const REQUEST: RecentDetails = {
  time: 0,
  end: 0,
  duration: 1,
  protocol: '1.1',
  method: 'GET',
  host: 'shop.test',
  path: '/books/7',
  query: '',
  status: 503,
  bytes: 0,
  route: 'books',
  service: 'books',
  instance: null,
  attempts: 0,
  retried: null,
  serviceTime: 0,
  client: '203.0.113.9',
  consumer: null,
  tier: null,
  apiKey: null,
  correlationId: 'a',
  traceId: '',
  error: 'service-unavailable',
  grpcStatus: null,
  clientTime: 0,
  sendTime: 0,
  userAgent: null,
  aborted: false,
  detail: 'Service unavailable',
  cause: null,
  storedAge: null,
  tried: [],
  events: null,
  fields: {},
}
const failed = {
  instance: '10.0.0.7:80',
  phase: 'connect',
  reason: 'connect',
  status: null,
  took: 1,
  error: 'refused.',
}

for (const [what, changes, cause] of [
  [
    'without a usable instance',
    {},
    '503: no instance of books could be used: each was unhealthy, ejected or drained, or there was none. "sallyport explain" shows their state now.',
  ],
  ['whose only attempt failed', { attempts: 1, tried: [failed] }, '503: 10.0.0.7:80 could not be reached (refused).'],
  ['that matched no route', { status: 404, error: null, route: '', service: null }, '404: no route matched it.'],
  [
    'answered by the cache',
    { status: 200, error: null, storedAge: 12 },
    '200: that is a stored reply from the cache, 12 s old.',
  ],
  [
    'answered by the cache because the service failed',
    { status: 200, error: null, storedAge: 75, attempts: 1, instance: '10.0.0.7:80', tried: [failed] },
    '200: that is a stored reply from the cache, 75 s old, as 10.0.0.7:80 could not be reached (refused).',
  ],
  [
    'answered by the cache after the service was asked',
    { status: 200, error: null, storedAge: 0, attempts: 1, instance: '10.0.0.7:80' },
    '200: that is a stored reply from the cache, 0 s old, which 10.0.0.7:80 of books has confirmed.',
  ],
  [
    'that was repeated',
    { status: 201, error: null, fields: { idempotency: 'replayed' } },
    '201: that is the stored reply to an earlier request with the same Idempotency-Key.',
  ],
  ['of a client that left', { aborted: true }, 'The client disconnected before it had the whole reply.'],
] as const)
  test(`the cause of a request ${what} is said in one sentence`, () => {
    assert.equal(causeOf({ ...REQUEST, ...changes }), cause)
  })
