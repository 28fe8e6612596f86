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
  userAgent: null,
  aborted: false,
  detail: 'Service unavailable',
  cause: null,
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
  ['of a client that left', { aborted: true }, 'The client disconnected before it had the whole reply.'],
] as const)
  test(`the cause of a request ${what} is said in one sentence`, () => {
    assert.equal(causeOf({ ...REQUEST, ...changes }), cause)
  })
