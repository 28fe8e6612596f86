import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'
import test from 'node:test'
import { Agent, type IncomingMessage, request } from 'node:http'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { send } from '../support/client.ts'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { startHttp2Service } from '../support/http2-service.ts'
import { startService } from '../support/service.ts'
import { authority } from '../support/tls-service.ts'

const plain = { listeners: [{ address: '127.0.0.1:0' }] }
const http2 = { http2: true }

test('policies have the same effect over HTTP/2 as over HTTP/1.1', async (t) => {
  let calls = 0
  const service = await startHttp2Service(t, (stream, headers) => {
    calls++
    stream.respond({
      ':status': 200,
      'content-type': 'application/json',
      'x-secret': 'a',
      'cache-control': 'max-age=60',
    })
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      stream.end(JSON.stringify({ calls, body, added: headers['x-added'], long: 'x'.repeat(2000) }))
    })
  })
  const { port } = await startGateway(t, {
    ...plain,
    services: { backend: { instances: [service.url], health: false, ...http2 } },
    routes: [
      { id: 'cache', match: { path: '/cache' }, service: 'backend', policies: { cache: { ttl: '30s' } } },
      { id: 'zip', match: { path: '/zip' }, service: 'backend', policies: { compression: {} } },
      {
        id: 'change',
        match: { path: '/change' },
        service: 'backend',
        policies: {
          'request-headers': { set: { 'X-Added': 'yes' } },
          transform: { response: { headers: { remove: ['X-Secret'] } } },
        },
      },
      { id: 'once', match: { path: '/once' }, service: 'backend', policies: { idempotency: {} } },
      {
        id: 'limit',
        match: { path: '/limit' },
        service: 'backend',
        policies: { 'rate-limit': { tiers: { unauthenticated: '1/h' } } },
      },
    ],
  })
  const cached = [await send(port, { path: '/cache' }), await send(port, { path: '/cache' })]
  assert.deepEqual(
    cached.map(({ text }) => (JSON.parse(text) as { calls: number }).calls),
    [1, 1],
  )
  const zipped = await send(port, { path: '/zip', headers: { 'accept-encoding': 'gzip' } })
  assert.equal(zipped.headers['content-encoding'], 'gzip')
  assert.equal((JSON.parse(gunzipSync(zipped.body).toString()) as { calls: number }).calls, 2)
  const changed = await send(port, { path: '/change', method: 'POST', body: 'hello' })
  assert.deepEqual(JSON.parse(changed.text), { calls: 3, body: 'hello', added: 'yes', long: 'x'.repeat(2000) })
  assert.equal(changed.headers['x-secret'], undefined)
  const key = { headers: { 'idempotency-key': '"one"' }, method: 'POST', path: '/once', body: 'pay' }
  const twice = [await send(port, key), await send(port, key)]
  assert.deepEqual(
    twice.map(({ text }) => (JSON.parse(text) as { calls: number }).calls),
    [4, 4],
  )
  const limited = [await send(port, { path: '/limit' }), await send(port, { path: '/limit' })]
  assert.deepEqual(
    limited.map(({ status }) => status),
    [200, 429],
  )
  assert.equal(service.sessions.length, 1)
})

test('retries and sticky sessions work as over HTTP/1.1', async (t) => {
  const bad = await startHttp2Service(t, (stream) => stream.respond({ ':status': 503 }, { endStream: true }))
  const good = await startHttp2Service(t, (stream) => {
    stream.respond({ ':status': 200 })
    stream.end('good')
  })
  const { port } = await startGateway(
    t,
    proxyTo([bad.url, good.url], { ...plain, service: { ...http2, balancer: 'round-robin' } }),
  )
  for (let n = 0; n < 4; n++) assert.equal((await send(port)).text, 'good')
  assert.ok(bad.received.length > 0)
})

test('health checks use HTTP/2, and report if an instance does not speak it', async (t) => {
  const service = await startHttp2Service(t, (stream) => stream.respond({ ':status': 200 }, { endStream: true }))
  const older = await startService(t)
  const both = {
    services: {
      newer: { instances: [service.url], ...http2, health: { path: '/health' } },
      older: { instances: [older.url], ...http2, health: { path: '/health' } },
    },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'newer' }],
  }
  const { log } = await startGateway(t, { ...plain, ...both })
  const { reason } = await log.line({ message: 'instance is unhealthy', service: 'older' })
  assert.match(String(reason), /does not speak HTTP\/2/)
  assert.ok(!log.lines.some(({ message, service: of }) => message === 'instance is unhealthy' && of === 'newer'))
})

test('a check with method, headers and body works over TLS', async (t) => {
  const received: unknown[] = []
  const service = await startHttp2Service(
    t,
    (stream, headers) => {
      let body = ''
      stream.on('data', (chunk: Buffer) => (body += chunk.toString()))
      stream.on('end', () => {
        received.push([headers[':method'], headers[':authority'], headers['x-check'], headers['user-agent'], body])
        stream.respond({ ':status': 204 }, { endStream: true })
      })
    },
    { secure: true },
  )
  const health = {
    path: '/up',
    method: 'POST' as const,
    body: 'up?',
    headers: { 'X-Check': 'yes', Host: 'named.example' },
    status: [204],
  }
  const options = { ...http2, tls: { ca: authority.cert }, health }
  const { log } = await startGateway(t, proxyTo(service.url, { ...plain, service: options }))
  assert.deepEqual(received[0], ['POST', 'named.example', 'yes', 'sallyport-health', 'up?'])
  assert.ok(!log.lines.some(({ message }) => message === 'instance is unhealthy'))
})

test('changed settings apply to new connections, and old ones are closed after their exchanges', async (t) => {
  const service = await startHttp2Service(t, (stream) => {
    stream.respond({ ':status': 200 })
    stream.end('hello')
  })
  const config = (more: object) => ({
    ...proxyTo(service.url, { ...plain, service: { ...http2, ...more } }),
    admin: false as const,
    endpoints: { docs: false as const, openapi: false as const },
    drainTimeout: '1s' as const,
    overload: false as const,
  })
  const { gateway, port } = await startGateway(t, config({}))
  assert.equal((await send(port)).text, 'hello')
  const [first] = service.sessions
  const ended = once(first!, 'close')
  await gateway.reload(config({ pool: { connections: 3 } }))
  assert.equal((await send(port)).text, 'hello')
  assert.equal(service.sessions.length, 1, 'bounds alone change nothing')
  await gateway.reload(config({ http2: false, retry: false }))
  await ended
  assert.equal((await send(port)).status, 502, 'it is not supported in HTTP/1.1')
})

test('a slow client only delays its own reply, not others on the same connection', async (t) => {
  const service = await startHttp2Service(t, (stream, headers) => {
    stream.respond({ ':status': 200 })
    if (headers[':path'] === '/large')
      Readable.from(Array.from({ length: 300 }, () => Buffer.alloc(100_000))).pipe(stream)
    else stream.end('small')
  })
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: http2 }))
  const pending = request({ port, host: '127.0.0.1', path: '/large', agent: new Agent() })
  pending.end()
  const [response] = (await once(pending, 'response')) as [IncomingMessage]
  response.pause()
  for (let n = 0; n < 20; n++) assert.equal((await send(port, { path: '/small' })).text, 'small')
  assert.equal(service.sessions.length, 1)
  let bytes = 0
  response.on('data', (chunk: Buffer) => (bytes += chunk.length))
  response.resume()
  await once(response, 'end')
  assert.equal(bytes, 30_000_000)
})
