import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { type Answer, send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { connect, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'
import { turnUntil } from './support/settled.ts'

type Concurrency = NonNullable<GatewayInput['services']>[string]['concurrency']

/** A service that answers on demand, and routes of each priority to it. */
async function setUp(t: TestContext, concurrency: Concurrency) {
  const held: ServerResponse[] = []
  const service = await startService(t, (_, response) => void held.push(response))
  const config = proxyTo(service.url, { service: { concurrency } })
  const routes: GatewayInput['routes'] = (['high', 'normal', 'low'] as const).map((priority) => ({
    id: priority,
    match: { path: `/${priority}` },
    service: 'backend',
    priority,
  }))
  const started = await startGateway(t, { ...config, routes })
  const { port } = started
  /** Sends a request, and waits until the service has received it. */
  const hold = async (path = '/normal'): Promise<Promise<Answer>[]> => {
    const count = held.length
    const answer = send(port, { path })
    await turnUntil('the request to reach the service', () => held.length > count)
    return [answer]
  }
  return { ...started, held, hold }
}

test('requests above the limit of a service get 503 with the registered type, and the others are answered', async (t) => {
  const { port, held, hold, log } = await setUp(t, 2)
  const answers = [...(await hold()), ...(await hold())]
  const shed = await send(port, { path: '/normal' })
  assert.equal(shed.status, 503)
  assert.equal(shed.headers['content-type'], 'application/problem+json')
  const { instance: _, trace_id: __, ...problem } = JSON.parse(shed.text) as Record<string, unknown>
  assert.deepEqual(problem, {
    type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
    title: 'Service overloaded',
    status: 503,
    detail: 'The service is at its concurrency limit: try again later.',
  })
  assert.equal(shed.headers['retry-after'], '2')
  assert.equal(shed.headers['cache-control'], 'no-store')
  const line = await log.line({ status_code: 503 })
  assert.deepEqual([line['code'], line['shed'], line['instance']], ['service-overloaded', 'concurrency', null])
  for (const response of held) response.end('done')
  for (const answer of answers) assert.equal((await answer).text, 'done')
  const [next] = await hold()
  held.at(-1)!.end('again')
  assert.equal((await next!).text, 'again')
})

test('shed requests are counted by service, reason and priority, and the limit is a metric', async (t) => {
  const { port, hold, held } = await setUp(t, 1)
  const [answer] = await hold('/high')
  await send(port, { path: '/low' })
  await send(port, { path: '/normal' })
  await send(port, { path: '/normal' })
  const metrics = await scrape(port)
  const shed = (priority: string) =>
    metrics.sum('sallyport_shed_total', { service: 'backend', reason: 'concurrency', priority })
  assert.deepEqual([shed('high'), shed('normal'), shed('low')], [0, 2, 1])
  assert.equal(metrics.sum('sallyport_concurrency_limit', { service: 'backend' }), 1)
  held[0]!.end()
  await answer
})

test('the adaptive limit starts at 2000, and by default there is no limit', async (t) => {
  const { port } = await setUp(t, { mode: 'adaptive' })
  assert.equal((await scrape(port)).sum('sallyport_concurrency_limit', { service: 'backend' }), 2000)
  const without = await setUp(t, undefined)
  const text = (await send(without.port, { path: '/metrics' })).text
  assert.doesNotMatch(text, /^sallyport_concurrency_limit\{/m)
})

test('low priority is shed first and high priority last', async (t) => {
  const { port, held, hold } = await setUp(t, 10)
  const answers: Promise<Answer>[] = []
  const status = async (path: string): Promise<number> => (await send(port, { path })).status
  for (let i = 0; i < 8; i++) answers.push(...(await hold('/low')))
  assert.equal(await status('/low'), 503)
  for (let i = 0; i < 2; i++) answers.push(...(await hold('/normal')))
  assert.equal(await status('/normal'), 503)
  answers.push(...(await hold('/high')))
  assert.equal(await status('/high'), 503)
  for (const response of held) response.end()
  await Promise.all(answers)
})

test("the gateway's own endpoints are not limited", async (t) => {
  const { port, held, hold } = await setUp(t, 1)
  const [answer] = await hold()
  assert.equal((await send(port, { path: '/health' })).status, 200)
  held[0]!.end()
  await answer
})

test('a client that disconnects frees its place', async (t) => {
  const { port, held, hold } = await setUp(t, 1)
  const client = await connect(t, port)
  client.write('GET /normal HTTP/1.1\r\nHost: a\r\n\r\n')
  await turnUntil('the request to reach the service', () => held.length === 1)
  assert.equal((await send(port, { path: '/normal' })).status, 503)
  const closed = once(held[0]!, 'close')
  client.reset()
  await closed
  const [answer] = await hold()
  held.at(-1)!.end()
  assert.equal((await answer!).status, 200)
})

test('a slow upload takes no place until its body is complete', async (t) => {
  const { port, held, hold } = await setUp(t, 1)
  const client = await connect(t, port)
  client.write('POST /normal HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nha')
  const [answer] = await hold()
  held[0]!.end()
  assert.equal((await answer!).status, 200)
  client.write('lf')
  await turnUntil('the request to reach the service', () => held.length === 2)
  assert.equal((await send(port, { path: '/normal' })).status, 503)
  held[1]!.end()
  assert.match(await client.until('\r\n\r\n'), / 200 /)
})

test('failing or missing instances leave no request counted', async (t) => {
  const service = await startRawService(t, async (peer) => {
    await peer.request()
    peer.reset()
  })
  const { port } = await startGateway(t, proxyTo(service.url, { service: { concurrency: 1 } }))
  for (let i = 0; i < 5; i++) assert.equal((await send(port)).status, 502)
  const nobody = await startService(t)
  await nobody.kill()
  const down = await startGateway(t, proxyTo(nobody.url, { service: { concurrency: 1 } }))
  for (let i = 0; i < 5; i++) {
    const answer = await send(down.port)
    assert.match(answer.text, /service-unavailable/)
  }
})

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
const REPLIES: Record<string, string> = {
  '/events': 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
  '/socket': `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`,
  '/download': 'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegins',
  '/plain': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
}

for (const concurrency of [1, { floor: 1, most: 1 }])
  test(`500 event streams, WebSockets and downloads do not count towards the limit: ${JSON.stringify(concurrency)}`, async (t) => {
    const service = await startRawService(t, async (peer) => {
      const { start } = await peer.request()
      peer.write(REPLIES[start.split(' ')[1]!]!)
    })
    const pool = { connections: 1_000 }
    const { port } = await startGateway(t, proxyTo(service.url, { service: { concurrency, pool } }))
    const upgrade = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n`
    for (let i = 0; i < 500; i++) {
      const path = ['/events', '/socket', '/download'][i % 3]!
      const client = await connect(t, port)
      client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n${path === '/socket' ? upgrade : ''}\r\n`)
      assert.match(await client.until('\r\n\r\n'), / (200|101) /)
    }
    assert.equal((await send(port, { path: '/plain' })).status, 200)
  })
