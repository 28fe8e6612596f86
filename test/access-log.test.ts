import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { connect, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

async function setUp(t: TestContext, config: Parameters<typeof proxyTo>[1] = {}) {
  const service = await startService(t, (_, response) => void response.end('hello'))
  const { port, log } = await startGateway(t, proxyTo(service.url, { policies: { 'correlation-id': {} }, ...config }))
  return { service, port, log }
}

test('each request is logged as one line with the specified fields', async (t) => {
  const clock = new ManualClock(Date.UTC(2024, 0, 15, 10, 30))
  const service = await startRawService(t)
  const { port, log } = await startGateway(t, proxyTo(service.url, { policies: { 'correlation-id': {} } }), { clock })
  const pending = send(port, {
    method: 'POST',
    path: '/api/v1/orders?page=2',
    headers: { 'User-Agent': 'test/1.0', 'X-Correlation-ID': 'c-1', traceparent: PARENT },
    body: 'x',
  })
  const peer = await service.accept()
  await peer.request()
  clock.advance(250)
  peer.write('HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello')
  await pending
  assert.deepEqual(log.requests, [
    {
      level: 'info',
      timestamp: '2024-01-15T10:30:00.250Z',
      method: 'POST',
      url: `http://127.0.0.1:${port}/api/v1/orders?page=2`,
      status_code: 201,
      duration_ms: 250,
      user_id: null,
      correlation_id: 'c-1',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      user_agent: 'test/1.0',
      ip_address: '127.0.0.1',
      route: 'all',
      service: 'backend',
      instance: `127.0.0.1:${service.port}`,
      code: null,
      bytes: 5,
      message: 'API Gateway Request',
    },
  ])
})

test('values that look like secrets are redacted in the log, but forwarded to the service', async (t) => {
  const { service, port, log } = await setUp(t)
  const path = '/login?user=me&password=hunter2&token=t0k&api_key=k&%74oken=disguised&page=1'
  await send(port, { path })
  const url = `http://127.0.0.1:${port}/login?user=me&password=[redacted]&token=[redacted]&api_key=[redacted]&%74oken=[redacted]&page=1`
  assert.equal(log.requests[0]!['url'], url)
  assert.equal(service.received[0]!.url, path)
  assert.doesNotMatch(JSON.stringify(log.lines), /hunter2|t0k|disguised/)
})

test('header fields that hold credentials do not appear in the log', async (t) => {
  const stopped = await startService(t)
  const { port, log } = await startGateway(t, proxyTo(stopped.url))
  // Only now, since the gateway could otherwise get its port.
  await stopped.kill()
  const headers = { Authorization: 'Bearer hunter2', Cookie: 'session=hunter2', 'X-API-Key': 'hunter2' }
  assert.equal((await send(port, { headers })).status, 503)
  assert.doesNotMatch(JSON.stringify(log.lines), /hunter2/)
})

test('a client cannot forge a log line', async (t) => {
  const { port, log } = await setUp(t)
  const client = await connect(t, port)
  client.write('GET /a"b%22 HTTP/1.1\r\nHost: a\r\nUser-Agent: "}\\\x9f\t{"level":"error\r\n\r\n')
  await client.reply()
  const [line] = log.requests
  assert.equal(log.requests.length, 1)
  assert.equal(line!['url'], 'http://a/a%22b%22')
  assert.equal(line!['user_agent'], '"}\\\x9f\t{"level":"error')
  assert.equal(line!['level'], 'info')
})

test('bytes is the number of content bytes that the client received', async (t) => {
  const service = await startService(t, (request, response) => {
    if (request.url === '/none') response.writeHead(204)
    else response.write('x'.repeat(1000))
    response.end(request.url === '/none' ? '' : 'y'.repeat(70_000))
  })
  const { port, log } = await startGateway(t, proxyTo(service.url))
  await send(port)
  await send(port, { method: 'HEAD' })
  await send(port, { path: '/none' })
  assert.deepEqual(
    log.requests.map(({ bytes, status_code }) => [bytes, status_code]),
    [
      [71_000, 200],
      [0, 200],
      [0, 204],
    ],
  )
})

const pathOf = (url: unknown): string => new URL(String(url)).pathname

test('requests that the gateway answers or rejects are logged with everything known about them', async (t) => {
  const { port, log } = await setUp(t, { routes: [{ id: 'fixed', match: { path: '/fixed' }, reply: {} }] })
  await send(port, { path: '/fixed' })
  await send(port, { path: '/nowhere' })
  await send(port, { path: '/health/live' })
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n')
  await client.reply()
  assert.deepEqual(
    log.requests
      .slice(0, 3)
      .map(({ url, status_code, route, service, instance }) => [pathOf(url), status_code, route, service, instance]),
    [
      ['/fixed', 200, 'fixed', null, null],
      ['/nowhere', 404, '', null, null],
      ['/health/live', 200, 'sallyport:health/live', null, null],
    ],
  )
  assert.equal(log.lines.at(-1)!['message'], 'Request refused')
})

test('requests to health endpoints are not logged at level info', async (t) => {
  const routes = [{ id: 'fixed', match: { path: '/fixed' }, reply: {} }]
  const { port, log } = await startGateway(t, { routes }, { level: 'info' })
  await send(port, { path: '/health/ready' })
  await send(port, { path: '/fixed' })
  assert.deepEqual(
    log.requests.map(({ url }) => pathOf(url)),
    ['/fixed'],
  )
})

test('an error of a service is logged at level error, with a line of its own that explains it', async (t) => {
  const stopped = await startService(t)
  const { port, log } = await startGateway(t, proxyTo(stopped.url, { policies: { 'correlation-id': {} } }))
  // Only now, since the gateway could otherwise get its port.
  await stopped.kill()
  await send(port, { headers: { 'X-Correlation-ID': 'c-1' } })
  assert.equal(log.requests[0]!['level'], 'error')
  const reason = await log.line({ message: 'Request failed in the service' })
  assert.deepEqual([reason['correlation_id'], reason['route'], reason['service']], ['c-1', 'all', 'backend'])
})

test('access: false turns off the access log', async (t) => {
  const { port, log } = await setUp(t, { log: { access: false } })
  await send(port)
  assert.deepEqual(log.requests, [])
})

test('log: false of a route leaves its requests out of the log', async (t) => {
  const routes = [
    { id: 'quiet', match: { path: '/quiet' }, reply: {}, log: false },
    { id: 'other', match: { path: '/other' }, reply: {} },
  ]
  const { port, log } = await startGateway(t, { routes })
  await send(port, { path: '/quiet' })
  await send(port, { path: '/other' })
  assert.deepEqual(
    log.requests.map(({ route }) => route),
    ['other'],
  )
})

test('timings show the time of the service, the gateway and the policies', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const config = {
    log: { access: { timings: true, slow: '200ms' as const } },
    policies: { 'correlation-id': {}, cors: { origins: ['*'] } },
  }
  const { port, log } = await startGateway(t, proxyTo(service.url, config), { clock })
  const pending = send(port)
  const peer = await service.accept()
  await peer.request()
  clock.advance(250)
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  await pending
  const [line] = log.requests
  assert.deepEqual(
    [line?.['level'], line?.['service_ms'], line?.['gateway_ms'], line?.['attempts'], line?.['policies_ms']],
    ['warn', 250, 0, 1, { 'correlation-id': 0, cors: 0 }],
  )
})

test('timings of an aborted request end at the disconnect, and a long reply does not count as time of the gateway', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const config = { log: { access: { timings: true } } }
  const { port, log } = await startGateway(t, proxyTo(service.url, config), { clock })
  const leaving = await connect(t, port)
  leaving.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await (await service.accept()).request()
  clock.advance(250)
  leaving.reset()
  const left = await log.line({ status_code: 499 })
  assert.deepEqual([left['service_ms'], left['gateway_ms']], [250, 0])

  const staying = await connect(t, port)
  staying.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  clock.advance(40)
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no')
  await staying.until('\r\n\r\no')
  clock.advance(900)
  peer.write('k')
  const stayed = await log.line({ status_code: 200 })
  assert.deepEqual([stayed['service_ms'], stayed['gateway_ms'], stayed['duration_ms']], [40, 0, 940])
})
