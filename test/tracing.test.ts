import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { type Answer, send } from './support/client.ts'
import { type CollectedSpan, startCollector } from './support/collector.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { scrape } from './support/metrics.ts'
import { connect, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
const SAMPLED = `00-${TRACE}-${PARENT}-01`
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

/** Sets variables of the environment until the end of the test. */
function setEnvironment(t: TestContext, variables: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(variables)) t.after(() => delete process.env[name])
  Object.assign(process.env, variables)
}

/** A gateway that exports its spans to a collector, and those spans once the gateway is closed. */
async function startTraced(
  t: TestContext,
  config: GatewayInput,
  { status = 200, environment = {} }: { status?: number; environment?: Readonly<Record<string, string>> } = {},
) {
  const collector = await startCollector(t, status)
  setEnvironment(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_TIMEOUT: '500', ...environment })
  const { gateway, port, log } = await startGateway(t, config)
  const spans = async (): Promise<readonly CollectedSpan[]> => {
    await gateway.close()
    return collector.spans
  }
  return { gateway, port, log, collector, spans }
}

function only(spans: readonly CollectedSpan[], kind: CollectedSpan['kind']): CollectedSpan {
  const found = spans.filter((span) => span.kind === kind)
  assert.equal(found.length, 1, `one ${kind} span`)
  return found[0]!
}

/** The trace id that a problem document tells. */
function traceIdIn({ text }: Answer): unknown {
  return (JSON.parse(text) as Record<string, unknown>)['trace_id']
}

/** The trace of the gateway's request, as a service received it. */
function heardTrace(headers: NodeJS.Dict<string | string[]>): { traceId: string; parentId: string; flags: string } {
  const [, traceId = '', parentId = '', flags = ''] = String(headers['traceparent']).split('-')
  return { traceId, parentId, flags }
}

test('each request is part of a trace, even if nothing is exported', async (t) => {
  const service = await startService(t)
  const { port, log } = await startGateway(t, proxyTo(service.url))
  await send(port, { headers: { traceparent: SAMPLED, tracestate: ['a=1', 'b=2'] } })
  await send(port, { headers: { traceparent: [SAMPLED, SAMPLED], tracestate: 'a=1' } })
  const [continued, begun] = service.received.map(({ headers }) => headers)
  assert.equal(heardTrace(continued!).traceId, TRACE)
  assert.notEqual(heardTrace(continued!).parentId, PARENT)
  assert.equal(continued!['tracestate'], 'a=1,b=2')
  assert.notEqual(heardTrace(begun!).traceId, TRACE)
  assert.equal(begun!['tracestate'], undefined)
  assert.deepEqual(
    log.requests.map((line) => line['trace_id']),
    [TRACE, heardTrace(begun!).traceId],
  )
})

test('a problem document and its log line have the trace id', async (t) => {
  const stopped = await startService(t)
  const { port, log } = await startGateway(t, proxyTo(stopped.url))
  // Not before: the gateway could get its port.
  await stopped.kill()
  const answer = await send(port, { headers: { traceparent: SAMPLED } })
  assert.equal(traceIdIn(answer), TRACE)
  const line = await log.line({ message: 'Request failed in the service' })
  assert.deepEqual([line['trace_id'], line['code'], line['fault']], [TRACE, 'service-unavailable', 'service'])
  assert.match(String(line['cause']), /ECONNREFUSED/)
})

test('a malformed request has a trace id', async (t) => {
  const { port, log } = await startGateway(t, proxyTo('http://127.0.0.1:1', { limits: { body: '1kb' } }))
  const large = await send(port, {
    method: 'POST',
    headers: { traceparent: SAMPLED, 'Content-Length': 4096 },
    body: 'x'.repeat(4096),
  })
  assert.equal(traceIdIn(large), TRACE)
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n')
  const { body } = await client.reply()
  const line = await log.line({ message: 'Request refused' })
  assert.match(String(line['trace_id']), /^[\da-f]{32}$/)
  assert.equal((JSON.parse(body.toString()) as Record<string, unknown>)['trace_id'], line['trace_id'])
})

test('a request has a server span with a client span below it, and the service continues the trace', async (t) => {
  const service = await startService(t)
  const { port, collector, spans } = await startTraced(
    t,
    {
      services: { users: { instances: [service.url], health: false } },
      routes: [{ id: 'users', match: { path: '/api/v1/users/*' }, service: 'users', rewrite: { strip: '/api' } }],
      policies: { 'correlation-id': {} },
    },
    {
      environment: {
        OTEL_SERVICE_NAME: 'edge',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
        OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=blue',
      },
    },
  )
  await send(port, {
    path: '/api/v1/users/7?page=2&token=hunter2',
    headers: {
      traceparent: `00-${TRACE}-${PARENT}-03`,
      tracestate: 'a=1',
      'User-Agent': 'test/1.0',
      'X-Correlation-ID': 'c-1',
      Host: 'api.example.com:8000',
    },
  })
  const all = await spans()
  const [server, client] = [only(all, 'server'), only(all, 'client')]
  assert.deepEqual(
    [server.name, server.traceId, server.parentId, server.state],
    ['GET /api/v1/users/*', TRACE, PARENT, 'a=1'],
  )
  assert.deepEqual(server.attributes, {
    'http.request.method': 'GET',
    'url.scheme': 'http',
    'url.path': '/api/v1/users/7',
    'url.query': 'page=2&token=[redacted]',
    'http.route': '/api/v1/users/*',
    'http.response.status_code': 200,
    'http.response.body.size': String(service.port).length,
    'server.address': 'api.example.com',
    'server.port': 8000,
    'client.address': '127.0.0.1',
    'network.protocol.version': '1.1',
    'user_agent.original': 'test/1.0',
    'sallyport.route': 'users',
    'sallyport.service': 'users',
    'sallyport.correlation_id': 'c-1',
  })
  assert.deepEqual([client.name, client.traceId, client.parentId], ['GET', TRACE, server.spanId])
  assert.deepEqual(client.attributes, {
    'http.request.method': 'GET',
    'url.full': `${service.url}/v1/users/7?page=2&token=[redacted]`,
    'http.response.status_code': 200,
    'server.address': '127.0.0.1',
    'server.port': service.port,
    'network.protocol.version': '1.1',
    'sallyport.service': 'users',
  })
  assert.deepEqual([server.status.code, client.status.code, server.flags & 0xff], [0, 0, 3])
  assert.deepEqual(heardTrace(service.received[0]!.headers), { traceId: TRACE, parentId: client.spanId, flags: '03' })
  assert.ok(server.start <= client.start && client.start <= client.end && client.end <= server.end)
  const { resource } = server
  assert.deepEqual([resource['service.name'], resource['deployment.environment.name']], ['edge', 'test'])
  assert.equal(collector.exports[0]?.['x-tenant'], 'blue')
})

test('each attempt has its own span', async (t) => {
  const stopped = await startService(t)
  await stopped.kill()
  const service = await startService(t)
  const { port, spans } = await startTraced(t, proxyTo([stopped.url, service.url]))
  await send(port)
  const all = await spans()
  const [failed, answered] = all.filter(({ kind }) => kind === 'client')
  const server = only(all, 'server')
  assert.equal(failed?.attributes['server.port'], stopped.port)
  assert.equal(failed?.attributes['error.type'], 'service-unavailable')
  assert.equal(failed?.status.code, 2)
  assert.deepEqual(
    [answered?.attributes['server.port'], answered?.attributes['http.request.resend_count'], answered?.status.code],
    [service.port, 1, 0],
  )
  assert.deepEqual([failed?.parentId, answered?.parentId, server.status.code], [server.spanId, server.spanId, 0])
  assert.equal(heardTrace(service.received[0]!.headers).parentId, answered?.spanId)
})

test('a rejection by auth is an event of the span, and not a server error', async (t) => {
  const service = await startService(t)
  const policies = { auth: { methods: { jwt: { secret: 'x'.repeat(64), algorithms: ['HS256' as const] } } } }
  const { port, spans } = await startTraced(t, proxyTo(service.url, { policies }))
  assert.equal((await send(port)).status, 401)
  const server = only(await spans(), 'server')
  assert.deepEqual(
    server.events.map(({ name, attributes }) => [name, attributes]),
    [['sallyport.auth', { 'sallyport.auth.outcome': 'unauthorized' }]],
  )
  assert.equal(server.attributes['http.response.status_code'], 401)
  assert.equal(server.attributes['sallyport.error'], 'unauthorized')
  assert.deepEqual([server.attributes['error.type'], server.status.code], [undefined, 0])
})

test('rate limit decisions are events of the span', async (t) => {
  const service = await startService(t)
  const policies = {
    'rate-limit': { tiers: { unauthenticated: '1/h', authenticated: '1/h', api_key: '1/h' } },
  } as const
  const { port, spans } = await startTraced(t, proxyTo(service.url, { policies }))
  assert.deepEqual([(await send(port)).status, (await send(port)).status], [200, 429])
  const events = (await spans()).filter(({ kind }) => kind === 'server').flatMap((span) => span.events)
  assert.deepEqual(
    events.map(({ attributes }) => attributes),
    ['admitted', 'refused'].map((outcome) => ({
      'sallyport.rate_limit.limit': 'unauthenticated',
      'sallyport.rate_limit.outcome': outcome,
      'sallyport.rate_limit.remaining': 0,
    })),
  )
})

test('a cache hit has no client span, and an event that says so', async (t) => {
  const service = await startService(t)
  const { port, spans } = await startTraced(t, proxyTo(service.url, { policies: { cache: { ttl: '1h' } } }))
  await send(port)
  await send(port)
  const all = await spans()
  const [miss, hit] = all.filter(({ kind }) => kind === 'server')
  assert.match(String(miss?.events[0]?.attributes['sallyport.cache.status']), /^sallyport; fwd=uri-miss/)
  assert.match(String(hit?.events[0]?.attributes['sallyport.cache.status']), /^sallyport; hit/)
  assert.equal(only(all, 'client').parentId, miss?.spanId)
})

test('an aborted request is marked in both spans', async (t) => {
  const service = await startRawService(t)
  const { port, log, spans } = await startTraced(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await (await service.accept()).request()
  client.reset()
  await log.line({ message: 'API Gateway Request' })
  const all = await spans()
  const [server, sent] = [only(all, 'server'), only(all, 'client')]
  assert.deepEqual([server.attributes['error.type'], sent.attributes['error.type']], ['client-closed', 'client-closed'])
  assert.equal(server.attributes['http.response.status_code'], undefined)
  assert.equal(server.status.code, 0)
})

test('a failure of the service is an error in both spans, with its cause', async (t) => {
  const service = await startRawService(t, async (peer) => {
    await peer.request()
    peer.write('nonsense\r\n\r\n')
  })
  const { port, spans } = await startTraced(t, proxyTo(service.url))
  assert.equal((await send(port, { method: 'POST' })).status, 502)
  const all = await spans()
  for (const kind of ['server', 'client'] as const) {
    const span = only(all, kind)
    assert.deepEqual([span.attributes['error.type'], span.status.code], ['bad-gateway', 2])
    assert.match(span.status.message, /./)
  }
})

test('an incomplete reply is an error of the server span', async (t) => {
  const service = await startRawService(t, async (peer) => {
    await peer.request()
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
    peer.end()
  })
  const { port, log, spans } = await startTraced(t, proxyTo(service.url))
  await assert.rejects(send(port))
  const line = await log.line({ message: 'Reply broke off' })
  const server = only(await spans(), 'server')
  assert.deepEqual([server.attributes['error.type'], server.status.code], ['reply-broke-off', 2])
  assert.equal(line['trace_id'], server.traceId)
})

test('a tunnel is a span that lasts as long as it is open', async (t) => {
  const service = await startRawService(t)
  const { port, log, spans } = await startTraced(t, proxyTo(service.url))
  const client = await connect(t, port)
  const key = 'dGhlIHNhbXBsZSBub25jZQ=='
  client.write(
    `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  )
  const peer = await service.accept()
  const { fields } = await peer.request()
  const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
  peer.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\nhello`,
  )
  await client.until('hello')
  client.end()
  peer.end()
  await log.line({ message: 'API Gateway Request' })
  const all = await spans()
  assert.deepEqual(
    [only(all, 'server'), only(all, 'client')].map(({ attributes, status }) => [
      attributes['http.response.status_code'],
      status.code,
    ]),
    [
      [101, 0],
      [101, 0],
    ],
  )
  assert.equal(heardTrace({ traceparent: fields.get('traceparent') }).parentId, only(all, 'client').spanId)
})

test('the caller decides whether a trace is sampled, unless the sampler is configured otherwise', async (t) => {
  const service = await startService(t)
  const config = proxyTo(service.url)
  const unsampled = { headers: { traceparent: `00-${TRACE}-${PARENT}-00` } }
  const byDefault = await startTraced(t, config)
  await send(byDefault.port, unsampled)
  assert.equal(heardTrace(service.received[0]!.headers).flags, '00')
  assert.deepEqual(await byDefault.spans(), [])
  const always = await startTraced(t, config, { environment: { OTEL_TRACES_SAMPLER: 'always_on' } })
  await send(always.port, unsampled)
  assert.equal(heardTrace(service.received[1]!.headers).flags, '01')
  assert.equal((await always.spans()).length, 2)
})

for (const variables of [{ OTEL_TRACES_EXPORTER: 'none' }, { OTEL_SDK_DISABLED: 'true' }])
  test(`with ${Object.entries(variables).join()} nothing is exported, and the trace is still propagated`, async (t) => {
    const service = await startService(t)
    const { port, spans } = await startTraced(t, proxyTo(service.url), { environment: variables })
    await send(port, { headers: { traceparent: SAMPLED } })
    assert.equal(heardTrace(service.received[0]!.headers).traceId, TRACE)
    assert.deepEqual(await spans(), [])
  })

test('the gateway’s own endpoints have no spans', async (t) => {
  const { port, spans } = await startTraced(t, {})
  assert.equal((await send(port, { path: '/health/live' })).status, 200)
  assert.deepEqual(await spans(), [])
})

test('unknown methods do not appear in span names', async (t) => {
  const service = await startRawService(t, async (peer) => {
    await peer.request()
    peer.write(OK)
  })
  const { port, spans } = await startTraced(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('BREW / HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.reply()
  const server = only(await spans(), 'server')
  assert.equal(server.name, 'HTTP /*')
  assert.equal(server.attributes['http.request.method'], '_OTHER')
  assert.equal(server.attributes['http.request.method_original'], 'BREW')
})

test('exported and dropped spans are counted', async (t) => {
  const service = await startService(t)
  const counted = async (port: number) => {
    await send(port)
    const metrics = await scrape(port)
    return ['exported', 'failed', 'dropped'].map((outcome) => metrics.sum('sallyport_trace_spans_total', { outcome }))
  }
  const { port } = await startGateway(t, proxyTo(service.url))
  assert.deepEqual(await counted(port), [0, 0, 0])
  // No room for the two spans of a request.
  const full = { OTEL_BSP_MAX_QUEUE_SIZE: '1', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1' }
  const traced = await startTraced(t, proxyTo(service.url), { environment: full })
  assert.deepEqual(await counted(traced.port), [0, 0, 2])
})

test('rejections by the collector are logged once, and requests are still answered', async (t) => {
  const service = await startService(t)
  const environment = { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2', OTEL_BSP_MAX_QUEUE_SIZE: '4' }
  const { port, log, spans } = await startTraced(t, proxyTo(service.url), { status: 400, environment })
  for (let i = 0; i < 8; i++) assert.equal((await send(port)).status, 200)
  await spans()
  const lines = log.lines.filter(({ message }) => message === 'Spans were lost: the collector refuses them')
  assert.equal(lines.length, 1)
})

test('span times follow the clock', async (t) => {
  const collector = await startCollector(t)
  setEnvironment(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  const clock = new ManualClock(Date.UTC(2024, 0, 15, 10, 30))
  const service = await startRawService(t)
  const { gateway, port } = await startGateway(t, proxyTo(service.url), { clock })
  const pending = send(port)
  const peer = await service.accept()
  await peer.request()
  clock.advance(250)
  peer.write(OK)
  await pending
  const closed = gateway.close()
  clock.advance(1000)
  await closed
  const server = only(collector.spans, 'server')
  assert.equal(server.end, BigInt(Date.UTC(2024, 0, 15, 10, 30)) * 1_000_000n + 250_000_000n)
  assert.equal(server.end - server.start, 250_000_000n)
})

test('a hedged request has a span for each instance, and the cancelled one is not an error', async (t) => {
  const slow = await startService(t, () => {})
  const quick = await startService(t)
  const hedge = { after: '1ms', budget: '100%' } as const
  const config = proxyTo([slow.url, quick.url], { service: { balancer: 'round-robin', hedge } })
  const { port, spans } = await startTraced(t, config)
  await send(port)
  const attempts = (await spans()).filter(({ kind }) => kind === 'client')
  const facts = attempts.map(({ attributes, status }) => [
    attributes['server.port'],
    attributes['sallyport.hedge'],
    attributes['sallyport.given_up'],
    attributes['error.type'],
    status.code,
  ])
  const portOf = ({ address }: { readonly address: string }): number => Number(address.split(':')[1])
  assert.deepEqual(facts, [
    [portOf(slow), undefined, true, undefined, 0],
    [portOf(quick), true, undefined, undefined, 0],
  ])
})
