import assert from 'node:assert/strict'
import test from 'node:test'
import { countsIn, type Sample, topView } from './top-view.ts'

const METRICS = `# TYPE http_requests_total counter
http_requests_total{method="GET",endpoint="/books",status="200",service="books"} 90
http_requests_total{method="GET",endpoint="/books",status="503",service="books"} 10
http_requests_total{method="PUT",endpoint="/a\\"b",status="404",service=""} 5
http_request_duration_seconds_sum{method="GET",endpoint="/books",service="books"} 0.2
http_request_duration_seconds_bucket{method="GET",endpoint="/books",service="books",le="1"} 100
`

function sampleOf(endpoints: Sample['endpoints'], time: number): Sample {
  const instance = { usable: true, drained: false, ejected: null, inFlight: 2 }
  return {
    status: {
      version: '1.2.3',
      pid: 7,
      readiness: 'ready',
      uptimeSeconds: 61.4,
      connections: 12,
      inFlight: 3,
      memory: { rssBytes: 120_000_000 },
      workers: [{ worker: 1, connections: 12, inFlight: 3, heapBytes: 20_000_000, busy: 0.256 }],
    },
    services: [
      {
        name: 'books',
        instances: [
          { ...instance, address: '127.0.0.1:1', health: { state: 'healthy', reason: null } },
          {
            ...instance,
            address: '127.0.0.1:2',
            usable: false,
            health: { state: 'unhealthy', reason: 'connect ECONNREFUSED\x1b[2J' },
          },
        ],
      },
    ],
    limited: [],
    endpoints,
    time,
  }
}

test('counts of endpoints are read from the metrics', () => {
  assert.deepEqual(
    [...countsIn(METRICS)],
    [
      ['/books', { requests: 100, refused: 0, failed: 10, seconds: 0.2 }],
      ['/a"b', { requests: 5, refused: 5, failed: 0, seconds: 0 }],
    ],
  )
})

test('the view shows the difference between two samples, and the worst instances first', () => {
  const view = topView(sampleOf(new Map(), 0), sampleOf(countsIn(METRICS), 2000))
  assert.deepEqual(view.split('\n'), [
    'sallyport 1.2.3  pid 7  ready  up 61s  12 connections  3 in flight  120 MB',
    '',
    'WORKER  BUSY  CONNECTIONS  IN FLIGHT  HEAP',
    '1       26%   12           3          20 MB',
    '',
    'ENDPOINT  REQUESTS/S  4XX/S  5XX/S  AVERAGE',
    '/books    50.0        0.0    5.0    2.0ms',
    '/a"b      2.5         2.5    0.0    0.0ms',
    '',
    'SERVICE  INSTANCE     STATE      IN FLIGHT',
    'books    127.0.0.1:2  unhealthy  2          connect ECONNREFUSED\\u001b[2J',
    'books    127.0.0.1:1  healthy    2',
  ])
})

test('without requests the view says so', () => {
  const counts = countsIn(METRICS)
  assert.match(topView(sampleOf(counts, 0), sampleOf(counts, 1000)), /\nNo requests\.\n/)
})

test('clients near their limits are listed if there are any', () => {
  const quota = { limit: 1000, windowSeconds: 3600, used: 850, remaining: 150, moreInSeconds: 700, waitSeconds: 0 }
  const limited = [
    {
      client: 'user:42',
      limit: 'authenticated',
      algorithm: 'fixed-window',
      store: 'memory',
      share: 0.85,
      limited: false,
      refused: 0,
      lastSeenAt: '2026-11-29T20:00:00.000Z',
      quotas: [quota],
    },
  ]
  const view = topView(sampleOf(new Map(), 0), { ...sampleOf(new Map(), 1000), limited })
  assert.match(
    view,
    /\n\nCLIENT +LIMIT +STATE +USED +REFUSED\nuser:42 +authenticated +85% +850 of 1000\/h, more in 12m\n\n/,
  )
})
